#include <amphibus/topic.hpp>
#include <amphibus/wire/flat.hpp>

// Stands for a class that flatc makes.
struct Order : private flatbuffers::Table {
  bool Verify(flatbuffers::Verifier& verifier) const { return VerifyTableStart(verifier) && verifier.EndTable(); }
};

#ifndef MISUSE
template <>
struct amphibus::wire::table_traits<Order> {
  static constexpr std::string_view type_name = "shop.Order";
  static constexpr std::uint16_t major = 1;
  static constexpr std::uint64_t schema_hash = 1;
  static constexpr std::string_view binary_schema = "";
};
#endif

inline constexpr amphibus::topic<amphibus::flat<Order>> orders{"shop.orders.placed"};
