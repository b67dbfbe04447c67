#include <amphibus/wire/flat.hpp>

// Stand for classes that flatc makes.
struct Order : private flatbuffers::Table {};
struct Item : private flatbuffers::Table {};

auto build() {
#ifdef MISUSE
  using root = Item;
#else
  using root = Order;
#endif
  return amphibus::flat<Order>::build(
      [](flatbuffers::FlatBufferBuilder& b) { return flatbuffers::Offset<root>(b.EndTable(b.StartTable())); });
}
