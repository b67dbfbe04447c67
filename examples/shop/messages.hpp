#pragma once

#include <shop_amphibus.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <amphibus/topic.hpp>

namespace shop {

/// Text in a fixed place, for messages that are copied as they are.
template <std::size_t Size>
struct fixed_text {
  std::array<char, Size> bytes{};
  fixed_text() = default;
  fixed_text(std::string_view text) {
    std::copy_n(text.begin(), std::min(text.size(), Size), bytes.begin());
  }  // NOLINT
  [[nodiscard]] std::string_view view() const { return {bytes.data(), ::strnlen(bytes.data(), Size)}; }
};

/// stock -> shipping, ledger: units that left (or, negative, came back). A plain struct with a codec written by hand.
struct stock_move {
  fixed_text<8> invoice;
  fixed_text<8> customer;
  fixed_text<24> country;
  std::uint32_t day = 0;  ///< yyyymmdd
  std::int32_t units = 0;
  bool ships = false;  ///< part of an accepted order
  bool end = false;
};

}  // namespace shop

template <>
struct amphibus::codec<shop::stock_move> {
  static constexpr std::string_view type_name = "shop.stock_move";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 0x73746f636b310001;
  static constexpr std::size_t size_bytes = 8 + 8 + 24 + 4 + 4 + 1 + 1;

  static bool encode(const shop::stock_move& from, wire::byte_writer& out) {
    out.append(from.invoice.bytes.data(), from.invoice.bytes.size());
    out.append(from.customer.bytes.data(), from.customer.bytes.size());
    out.append(from.country.bytes.data(), from.country.bytes.size());
    out.append(&from.day, sizeof from.day);
    out.append(&from.units, sizeof from.units);
    const std::array<std::uint8_t, 2> flags{from.ships, from.end};
    out.append(flags.data(), flags.size());
    return true;
  }
  static bool decode(std::span<const std::byte> bytes, shop::stock_move& into) {
    if (bytes.size() != size_bytes) return false;
    const std::byte* at = bytes.data();
    const auto take = [&at](void* to, std::size_t size) { std::memcpy(to, std::exchange(at, at + size), size); };
    take(into.invoice.bytes.data(), 8);
    take(into.customer.bytes.data(), 8);
    take(into.country.bytes.data(), 24);
    take(&into.day, sizeof into.day);
    take(&into.units, sizeof into.units);
    std::array<std::uint8_t, 2> flags{};
    take(flags.data(), flags.size());
    into.ships = flags[0] != 0;
    into.end = flags[1] != 0;
    return flags[0] <= 1 && flags[1] <= 1;
  }
};

namespace shop {

// The end of a stream is a message of the same topic: there is no order between topics.
inline constexpr amphibus::topic<ReceivedT> received{"shop.orders.received"};
inline constexpr amphibus::topic<DecidedT> decided{"shop.orders.decided"};
inline constexpr amphibus::topic<InvoiceT> invoices{"shop.invoices"};
inline constexpr amphibus::topic<stock_move> stock_moves{"shop.stock.moves"};
inline constexpr amphibus::topic<ShipmentT> shipments{"shop.shipments"};

}  // namespace shop
