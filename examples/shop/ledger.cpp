#include "ledger.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstdio>

namespace shop {
namespace {

std::string joined(std::string_view invoice, std::uint32_t day, std::int64_t amount, int kind) {
  return std::string(invoice) + "|" + std::to_string(day) + "|" + std::to_string(amount) + "|" + std::to_string(kind);
}

std::string hex(std::uint64_t value) {
  std::array<char, 20> out{};
  std::snprintf(out.data(), out.size(), "%016llx", static_cast<unsigned long long>(value));
  return out.data();
}

}  // namespace

// FNV-1a over what came before and the content: cheap, and any change of order changes everything after it.
void ledger::chain::extend(std::string_view content) {
  std::uint64_t value = hash ^ 0xcbf29ce484222325U;
  for (const char each : content) value = (value ^ static_cast<unsigned char>(each)) * 0x100000001b3U;
  hash = value;
  ++length;
}

ledger::row& ledger::at(std::string_view country, std::uint32_t day) { return rows_[{std::string(country), day}]; }

void ledger::link(std::string_view stream, std::string_view customer, const std::string& content) {
  ++messages_;
  chains_[{std::string(stream), std::string(customer)}].extend(content);
  chains_[{std::string(stream), "*"}].extend(content);
}

void ledger::add(const DecidedT& order) {
  if (order.verdict == Verdict::end) return void(++ended_);
  row& to = at(order.country, order.day);
  to.orders += order.verdict == Verdict::accepted ? 1U : 0U;
  to.rejected += order.verdict == Verdict::rejected ? 1U : 0U;
  to.cancelled += order.verdict == Verdict::cancelled ? 1U : 0U;
  link("decided", order.customer, joined(order.invoice, order.day, order.pence, static_cast<int>(order.verdict)));
}

void ledger::add(const InvoiceT& invoice) {
  if (invoice.end) return void(++ended_);
  at(invoice.country, invoice.day).pence += invoice.pence;
  link("invoices", invoice.customer, joined(invoice.invoice, invoice.day, invoice.pence, invoice.ships));
}

void ledger::add(const stock_move& move) {
  if (move.end) return void(++ended_);
  at(move.country.view(), move.day).units += move.units;
  link("stock", move.customer.view(), joined(move.invoice.view(), move.day, move.units, move.ships));
}

void ledger::add(const ShipmentT& shipment) {
  if (shipment.end) return void(++ended_);
  at(shipment.country, shipment.day).shipped += 1;
  link("shipments", shipment.customer, joined(shipment.invoice, shipment.day, shipment.units, 0));
}

std::vector<std::string> ledger::lines() const {
  std::vector<std::string> out;
  for (const auto& [key, of] : rows_) {
    out.push_back(key.first + " " + std::to_string(key.second) + ": orders " + std::to_string(of.orders) + " units " +
                  std::to_string(of.units) + " pence " + std::to_string(of.pence) + " rejected " +
                  std::to_string(of.rejected) + " cancelled " + std::to_string(of.cancelled) + " shipped " +
                  std::to_string(of.shipped));
  }
  for (const auto& [key, of] : chains_) {
    out.push_back("stream " + key.first + " customer " + (key.second.empty() ? "-" : key.second) + ": length " +
                  std::to_string(of.length) + " chain " + hex(of.hash));
  }
  return out;
}

std::string ledger::digest() const {
  std::string all;
  for (const std::string& each : lines()) all += each + "\n";
  std::array<unsigned char, EVP_MAX_MD_SIZE> raw{};
  unsigned size = 0;
  EVP_Digest(all.data(), all.size(), raw.data(), &size, EVP_sha256(), nullptr);
  std::string out;
  for (unsigned i = 0; i != size; ++i) {
    std::array<char, 3> two{};
    std::snprintf(two.data(), two.size(), "%02x", raw[i]);
    out += two.data();
  }
  return out;
}

std::string first_difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  const auto [left, right] = std::mismatch(expected.begin(), expected.end(), found.begin(), found.end());
  if (left == expected.end() && right == found.end()) return {};
  const std::string nothing = "nothing";
  return "expected " + (left == expected.end() ? nothing : "\"" + *left + "\"") + ", found " +
         (right == found.end() ? nothing : "\"" + *right + "\"");
}

}  // namespace shop
