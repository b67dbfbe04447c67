#include <amphibus/topic.hpp>

struct order_placed {
  int id;
  int pence;
};

#ifndef MISUSE
template <>
struct amphibus::codec<order_placed> {
  static constexpr std::string_view type_name = "shop.order_placed";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static bool encode(const order_placed&, wire::byte_writer&) { return true; }
  static bool decode(std::span<const std::byte>, order_placed&) { return true; }
};
#endif

inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed", amphibus::with_codec};
