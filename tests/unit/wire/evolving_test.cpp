#include <evolving_new_amphibus.h>
#include <evolving_old_amphibus.h>

#include <catch2/catch.hpp>

#include <string>

using amphibus::codec;
namespace next = evolving_new;
namespace before = evolving_old;

namespace {

/// What a program of the other version makes of a message.
template <class To, class From>
To read_as(const From& from) {
  amphibus::wire::byte_writer out;
  REQUIRE(codec<From>::encode(from, out));
  To back;
  REQUIRE(codec<To>::decode(out.bytes(), back));
  return back;
}

next::PaymentUnion voucher() {
  next::PaymentUnion out;
  next::VoucherT of;
  of.code = "a code that does not fit into a small string";
  out.Set(std::move(of));
  return out;
}

std::unique_ptr<next::PartT> part(next::PaymentUnion of) {
  auto out = std::make_unique<next::PartT>();
  out->of = std::move(of);
  return out;
}

}  // namespace

TEST_CASE("evolving: an old reader sees what it knows of a new message", "[wire]") {
  next::OrderT order;
  order.id = 7;
  order.note = "new";
  order.urgent = true;
  next::CardT card;
  card.number = "4111";
  card.holder = "ann";
  order.pay.Set(std::move(card));
  const auto seen = read_as<before::OrderT>(order);
  CHECK(seen.id == 7);
  REQUIRE(seen.pay.AsCard() != nullptr);
  CHECK(seen.pay.AsCard()->number == "4111");
}

TEST_CASE("evolving: a new reader sees defaults where an old message has nothing", "[wire]") {
  before::OrderT order;
  order.id = 7;
  const auto seen = read_as<next::OrderT>(order);
  CHECK(seen.id == 7);
  CHECK(seen.note.empty());
  CHECK_FALSE(seen.urgent);
}

TEST_CASE("evolving: an unknown member of a union arrives with its number and without value", "[wire]") {
  next::OrderT order;
  order.pay = voucher();
  const auto seen = read_as<before::OrderT>(order);
  CHECK(static_cast<int>(seen.pay.type) == 3);
  CHECK(seen.pay.value == nullptr);
  CHECK(seen.pay.AsCard() == nullptr);
  CHECK(seen.pay.AsCash() == nullptr);
}

TEST_CASE("evolving: unknown members of unions within a vector of tables keep their places", "[wire]") {
  next::OrderT order;
  order.parts.push_back(part(voucher()));
  order.parts.push_back(part({}));
  order.parts.back()->of.Set(next::CashT());
  const auto seen = read_as<before::OrderT>(order);
  REQUIRE(seen.parts.size() == 2);
  CHECK(seen.parts[0]->of.value == nullptr);
  CHECK(seen.parts[1]->of.AsCash() != nullptr);
}

TEST_CASE("evolving: a message with unknown union members is copied, moved and sent on without their values",
          "[wire]") {
  next::OrderT order;
  order.pay = voucher();
  order.parts.push_back(part(voucher()));
  const auto seen = read_as<before::OrderT>(order);
  before::OrderT copy = seen;
  const before::OrderT moved = std::move(copy);
  const auto sent_on = read_as<next::OrderT>(moved);
  CHECK(sent_on.pay.AsVoucher() == nullptr);
  REQUIRE(sent_on.parts.size() == 1);
  CHECK(sent_on.parts[0]->of.AsVoucher() == nullptr);
}

TEST_CASE("evolving: an unknown value of an enum keeps its number, alone, in flags and in vectors", "[wire]") {
  next::OrderT order;
  order.kind = next::Kind::writeoff;
  order.flags = static_cast<next::Flags>(2 + 4);
  order.kinds = {next::Kind::order, next::Kind::writeoff};
  const auto seen = read_as<before::OrderT>(order);
  CHECK(static_cast<int>(seen.kind) == 2);
  CHECK(static_cast<int>(seen.flags) == 6);
  REQUIRE(seen.kinds.size() == 2);
  CHECK(static_cast<int>(seen.kinds[1]) == 2);
  CHECK(std::string(before::EnumNameKind(seen.kind)).empty());
}

TEST_CASE("evolving: both versions have one major and different hashes", "[wire]") {
  CHECK(codec<next::OrderT>::major == codec<before::OrderT>::major);
  CHECK(codec<next::OrderT>::schema_hash != codec<before::OrderT>::schema_hash);
}

TEST_CASE("evolving: the attribute topic makes a constant in the table's namespace", "[wire]") {
  static_assert(next::order_topic.name() == "evolving.orders");
  static_assert(next::http_reply_topic.name() == "evolving.replies");
  CHECK(next::order_topic.codec()->type_name == "evolving_new.Order");
}
