#include "ledger.hpp"
#include "orders_file.hpp"

#include <catch2/catch.hpp>

using namespace shop;
using Catch::Contains;

namespace {

const std::string header = "InvoiceNo,InvoiceDate,CustomerID,Country,Lines,Units,TotalGBP,Kind\n";

std::string error_of(const std::string& rows) {
  const auto got = parse_orders(header + rows, "orders.csv");
  return got ? "" : got.error().what();
}

DecidedT decision(const char* invoice, Verdict verdict) {
  DecidedT out;
  out.invoice = invoice;
  out.day = 20101201;
  out.customer = "17850";
  out.country = "EIRE";
  out.pence = 100;
  out.verdict = verdict;
  return out;
}

InvoiceT bill(const char* invoice) {
  InvoiceT out;
  out.invoice = invoice;
  out.day = 20101201;
  out.customer = "17850";
  out.country = "EIRE";
  out.pence = 100;
  return out;
}

}  // namespace

TEST_CASE("parse_pence: exact in both signs, rubbish refused", "[shop]") {
  std::int64_t pence = 0;
  CHECK((parse_pence("139.12", pence) && pence == 13'912));
  CHECK((parse_pence("-27.50", pence) && pence == -2'750));
  for (const char* text : {"", "1", "1.2", "1.234", "x.00", "1.x0", "--1.00", "9999999999999999.00"}) {
    CHECK_FALSE(parse_pence(text, pence));
  }
}

TEST_CASE("parse_orders: a row becomes an order", "[shop]") {
  auto got = parse_orders(header + "536365,2010-12-01 08:26:00,17850,United Kingdom,7,40,139.12,order\r\n", "x");
  REQUIRE(got.has_value());
  REQUIRE(got->size() == 1);
  CHECK(got->front().day == 20101201);
  CHECK(got->front().pence == 13'912);
}

TEST_CASE("parse_orders: what is wrong is named with line and column", "[shop]") {
  CHECK_THAT(error_of("1,2,3\n"), Contains("orders.csv:2:1") && Contains("8 columns expected, 3 found"));
  CHECK_THAT(error_of("1,2010-12-01 08:26:00,1,UK,7,40,1.00,gift\n"),
             Contains("orders.csv:2:38") && Contains("'gift'"));
  CHECK_THAT(error_of("1,yesterday,1,UK,7,40,1.00,order\n"), Contains("orders.csv:2:3"));
  CHECK_FALSE(parse_orders("nonsense\n", "x"));
  CHECK_FALSE(read_orders("/nonexistent.csv"));
}

TEST_CASE("ledger: the interleaving of streams does not change the digest", "[shop]") {
  ledger one;
  one.add(decision("1", Verdict::accepted));
  one.add(decision("2", Verdict::accepted));
  one.add(bill("1"));
  one.add(bill("2"));
  ledger other;
  other.add(decision("1", Verdict::accepted));
  other.add(bill("1"));
  other.add(bill("2"));
  other.add(decision("2", Verdict::accepted));
  CHECK(one.digest() == other.digest());
  CHECK(first_difference(one.lines(), other.lines()).empty());
}

TEST_CASE("ledger: a swap, a loss and a duplicate within a stream show", "[shop]") {
  ledger one;
  one.add(bill("1"));
  one.add(bill("2"));
  ledger swapped;
  swapped.add(bill("2"));
  swapped.add(bill("1"));
  ledger lost;
  lost.add(bill("1"));
  ledger twice = one;
  twice.add(bill("2"));
  CHECK(one.digest() != swapped.digest());
  CHECK_THAT(first_difference(one.lines(), swapped.lines()), Contains("stream invoices"));
  CHECK_THAT(first_difference(one.lines(), lost.lines()), Contains("pence 200") && Contains("pence 100"));
  CHECK(one.digest() != twice.digest());
}
