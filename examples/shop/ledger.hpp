#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "messages.hpp"

namespace shop {

/// What the shop did, per country and day, and in which order, per customer and stream.
///
/// Its digest does not depend on how streams interleave, only on what each stream says and in which order.
class ledger {
 public:
  void add(const DecidedT& order);
  void add(const InvoiceT& invoice);
  void add(const stock_move& move);
  void add(const ShipmentT& shipment);

  /// All four streams said that they ended.
  [[nodiscard]] bool complete() const noexcept { return ended_ == 4; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }
  /// The whole ledger as lines, in one canonical order.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// SHA-256 over lines(), in hex.
  [[nodiscard]] std::string digest() const;

 private:
  struct row {
    std::uint64_t orders = 0;
    std::int64_t units = 0;
    std::int64_t pence = 0;
    std::uint64_t rejected = 0;
    std::uint64_t cancelled = 0;
    std::uint64_t shipped = 0;
  };
  struct chain {
    std::uint64_t hash = 0;
    std::uint64_t length = 0;
    void extend(std::string_view content);
  };

  row& at(std::string_view country, std::uint32_t day);
  /// Chains the message to its customer's and to the stream's own history.
  void link(std::string_view stream, std::string_view customer, const std::string& content);

  std::map<std::pair<std::string, std::uint32_t>, row> rows_;
  std::map<std::pair<std::string, std::string>, chain> chains_;  // stream, customer
  std::uint64_t messages_ = 0;
  int ended_ = 0;
};

/// The first line in which two ledgers differ, for a person: `UK 20101201: orders 3 here, 4 there`. Empty: equal.
std::string first_difference(const std::vector<std::string>& expected, const std::vector<std::string>& found);

}  // namespace shop
