#include <amphibus/bus.hpp>
#include <amphibus/wire/flat.hpp>

#include <drawing_amphibus.h>
#include <sample_amphibus.h>

#include <catch2/catch.hpp>

#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

using amphibus::flat;
using flatbuffers::FlatBufferBuilder;
using sample::Order;
using sample::OrderT;

namespace {

constexpr amphibus::topic<flat<Order>> orders{"sample.orders", amphibus::with_codec};

flat<Order> order_of(std::uint64_t id, std::size_t customer_size = 3) {
  return flat<Order>::build([&](FlatBufferBuilder& b) {
    const auto customer = b.CreateString(std::string(customer_size, 'a'));
    return sample::CreateOrder(b, id, customer);
  });
}

}  // namespace

TEST_CASE("flat: what was built is read, and verifies", "[wire]") {
  const auto order = order_of(7);
  CHECK(order->id() == 7);
  CHECK((*order).customer()->str() == "aaa");
  CHECK(&order.table() == &*order);
  CHECK(amphibus::wire::verify_table<Order>(order.bytes()));
}

TEST_CASE("flat: every subscriber reads the very buffer that the builder wrote", "[wire]") {
  amphibus::bus bus;
  amphibus::loop here;
  std::vector<const Order*> seen;
  std::vector<amphibus::subscription> kept;
  for (int i = 0; i != 3; ++i) {
    kept.push_back(bus.subscribe(orders, {.on = here}, [&](const flat<Order>& o) { seen.push_back(&o.table()); }));
  }
  kept.push_back(bus.subscribe(orders, {.on = amphibus::inline_}, [&](const flat<Order>& o) { seen.push_back(&*o); }));
  const void* built = nullptr;
  auto order = flat<Order>::build([&](FlatBufferBuilder& b) {
    const auto root = sample::CreateOrder(b, 7);
    built = flatbuffers::GetTemporaryPointer(b, root);
    return root;
  });
  REQUIRE(&order.table() == built);
  bus.publish(orders, std::move(order));
  here.run_until_idle();
  CHECK(seen.size() == 4);
  for (const Order* each : seen) CHECK(each == built);
}

TEST_CASE("flat: a copy refers to the same bytes and keeps them beyond bus and thread", "[wire]") {
  std::vector<flat<Order>> kept;
  std::thread([&] {
    amphibus::bus bus;
    amphibus::loop here;
    auto sub = bus.subscribe(orders, {.on = here}, [&](const flat<Order>& o) { kept.push_back(o); });
    for (std::uint64_t i = 0; i != 100; ++i) bus.publish(orders, order_of(i, i));
    here.run_until_idle();
  }).join();
  REQUIRE(kept.size() == 100);
  for (std::uint64_t i = 0; i != 100; ++i) {
    CHECK(kept[i]->id() == i);
    CHECK(kept[i]->customer()->size() == i);
  }
  const flat<Order> copy = kept[0];
  CHECK(copy.bytes().data() == kept[0].bytes().data());
}

TEST_CASE("flat: one without content is a table of defaults", "[wire]") {
  flat<Order> moved_from = order_of(7);
  const flat<Order> taken = std::move(moved_from);
  CHECK(taken->id() == 7);
  for (const flat<Order>& each :
       {flat<Order>{}, moved_from}) {  // NOLINT(bugprone-use-after-move): that is the contract
    CHECK(each->id() == 0);
    CHECK(each->customer() == nullptr);
    CHECK(amphibus::wire::verify_table<Order>(each.bytes()));
  }
  moved_from = taken;
  CHECK(moved_from->id() == 7);
}

TEST_CASE("flat: buffers are recycled, also after the messages have grown", "[wire]") {
  std::set<const std::byte*> buffers;
  for (std::uint64_t i = 1; i != 100; ++i) buffers.insert(order_of(i).bytes().data());
  CHECK(buffers.size() <= 2);  // one is written while the other comes back
  buffers.clear();
  for (std::uint64_t i = 0; i != 100; ++i) {
    const auto large = order_of(i, 100'000);
    CHECK(large->customer()->size() == 100'000);
    if (i > 0) buffers.insert(large.bytes().data());
  }
  CHECK(buffers.size() <= 2);
  CHECK(order_of(5)->id() == 5);
}

TEST_CASE("flat: messages that are small again do not keep large buffers for ever", "[wire]") {
  static_cast<void>(order_of(1, 100'000));
  std::vector<flat<Order>> kept;
  for (std::uint64_t i = 0; i != 2'000; ++i) kept.push_back(order_of(i));
  // A hundred buffers of 128 KiB would take more than 12 MiB.
  std::set<std::uintptr_t> megabytes;
  for (std::size_t i = 1'900; i != 2'000; ++i) {
    megabytes.insert(reinterpret_cast<std::uintptr_t>(kept[i].bytes().data()) >> 20U);
  }
  CHECK(megabytes.size() < 10);
}

TEST_CASE("flat: build inside build makes two messages", "[wire]") {
  flat<Order> inner;
  const auto outer = flat<Order>::build([&](FlatBufferBuilder& b) {
    const auto customer = b.CreateString("outer");
    inner = order_of(2, 5'000);
    return sample::CreateOrder(b, 1, customer);
  });
  CHECK(outer->id() == 1);
  CHECK(outer->customer()->str() == "outer");
  CHECK(inner->id() == 2);
  CHECK(inner->customer()->size() == 5'000);
}

TEST_CASE("flat: a builder function that throws leaves nothing behind", "[wire]") {
  const auto throwing = [](FlatBufferBuilder& b) -> flatbuffers::Offset<Order> {
    b.StartTable();
    throw std::runtime_error("half built");
  };
  CHECK_THROWS_AS(flat<Order>::build(throwing), std::runtime_error);
  CHECK(order_of(3)->id() == 3);
}

TEST_CASE("flat: a thread that ends may still build in its thread-local objects' destructors", "[wire]") {
  struct late {
    std::uint64_t* result = nullptr;
    ~late() { *result = order_of(9)->id(); }
  };
  std::uint64_t result = 0;
  std::thread([&result] {
    static thread_local late own;  // made before the builder, so it ends after it
    own.result = &result;
    static_cast<void>(order_of(1));
  }).join();
  CHECK(result == 9);
}

TEST_CASE("flat: what the schema aligns to 16 lies so", "[wire]") {
  for (int i = 0; i != 8; ++i) {
    const auto drawing = flat<sample::Drawing>::build([&](FlatBufferBuilder& b) {
      const auto title = b.CreateString(std::string(static_cast<std::size_t>(i), 'x'));
      const std::vector<sample::Point> points(3, sample::Point(1, 2));
      const auto all = b.CreateVectorOfStructs(points);
      return sample::CreateDrawing(b, 1, sample::Colour::Red, sample::Shape::NONE, 0, title, all);
    });
    CHECK(reinterpret_cast<std::uintptr_t>(drawing->points()->Get(0)) % 16 == 0);
  }
}

TEST_CASE("flat: its bytes are what it owns", "[wire]") {
  const auto order = order_of(7, 1'000);
  CHECK(amphibus::owned_bytes<flat<Order>>::of(order) == order.bytes().size());
  amphibus::bus bus({.memory_max_bytes = std::size_t{1} << 20U});
  amphibus::loop here;
  auto sub = bus.subscribe(orders, {.capacity = 100, .on = here}, [](const flat<Order>&) {});
  auto out = bus.publisher(orders);
  std::size_t accepted = 0;
  while (out.try_publish(order_of(1, 100'000)) == amphibus::publish_status::accepted) ++accepted;
  CHECK(accepted >= 5);  // some memory is lent in advance
  CHECK(accepted <= 10);
  here.run_until_idle();
}
