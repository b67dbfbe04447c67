#pragma once

#include <amphibus/wire/flat.hpp>

#include "snippet_context.hpp"

// Stands for what amphibus_add_schemas() makes of `table Order { id: ulong; pence: int; }`.
struct Order : private flatbuffers::Table {
  [[nodiscard]] std::uint64_t id() const { return GetField<std::uint64_t>(4, 0); }
  [[nodiscard]] int pence() const { return GetField<int>(6, 0); }
  bool Verify(flatbuffers::Verifier& verifier) const { return VerifyTableStart(verifier) && verifier.EndTable(); }
};
flatbuffers::Offset<Order> CreateOrder(flatbuffers::FlatBufferBuilder& into, std::uint64_t id, int pence);
template <>
struct amphibus::wire::table_traits<Order> {
  static constexpr std::string_view type_name = "shop.Order";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static constexpr std::string_view binary_schema = "";
};
inline constexpr amphibus::topic<amphibus::flat<Order>> flat_orders{"shop.orders.flat"};
