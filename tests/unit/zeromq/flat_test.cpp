// Tables that are never unpacked, from process to process.
#include "bus_pair.hpp"

#include <amphibus/receiver.hpp>
#include <amphibus/wire/flat.hpp>

#include <sample_amphibus.h>

#include <catch2/catch.hpp>

#include <thread>

using namespace amphibus;
using namespace zeromq_test;
using sample::Order;
using sample::OrderT;

namespace {

constexpr topic<flat<Order>> flat_orders{"test.orders", with_codec};
constexpr topic<OrderT> native_orders{"test.orders", with_codec};

flat<Order> order_of(std::uint64_t id, std::size_t size) {
  return flat<Order>::build([&](flatbuffers::FlatBufferBuilder& b) {
    const auto customer = b.CreateString(std::string(size, static_cast<char>('a' + id % 26)));
    return sample::CreateOrder(b, id, customer);
  });
}

bool is_order(const flat<Order>& what, std::uint64_t id, std::size_t size) {
  return what->id() == id && what->customer()->str() == std::string(size, static_cast<char>('a' + id % 26));
}

}  // namespace

TEST_CASE("zeromq: tables of every size arrive, and what is kept outlives both buses", "[zeromq]") {
  constexpr std::uint64_t count = 3'000;
  const auto size_of = [](std::uint64_t id) { return static_cast<std::size_t>(id % 7 == 0 ? 20'000 : id); };
  std::vector<flat<Order>> kept;
  {
    const auto file = file_of(2);
    placed_bus a(file, "a");
    placed_bus b(file, "b");
    watched seen;
    auto sub = b.bus.subscribe(flat_orders, [&](const flat<Order>& o) { seen.change([&] { kept.push_back(o); }); });
    auto out = a.bus.publisher(flat_orders);
    make_ready({&a, &b});
    for (std::uint64_t i = 0; i != count; ++i)
      REQUIRE(out.publish(order_of(i, size_of(i))) == publish_status::accepted);
    seen.wait([&] { return kept.size() == count; });
  }
  for (std::uint64_t i = 0; i != count; ++i) REQUIRE(is_order(kept[i], i, size_of(i)));
}

TEST_CASE("zeromq: one process publishes the struct, the other subscribes the table, and back", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  watched seen;
  std::uint64_t tables = 0;
  std::uint64_t structs = 0;
  auto one = b.bus.subscribe(flat_orders, [&](const flat<Order>& o) {
    seen.change([&] { tables += o->customer()->str() == "ann" ? 1U : 0U; });
  });
  auto two =
      a.bus.subscribe(native_orders, [&](const OrderT& o) { seen.change([&] { structs += o.id == 7 ? 1U : 0U; }); });
  make_ready({&a, &b});
  OrderT order;
  order.customer = "ann";
  order.id = 7;
  for (int i = 0; i != 100; ++i) REQUIRE(a.bus.publish(native_orders, order) == publish_status::accepted);
  seen.wait([&] { return tables == 100; });
  const std::uint64_t own = structs;
  CHECK(own <= 100);
  for (int i = 0; i != 100; ++i) REQUIRE(b.bus.publish(flat_orders, order_of(7, 3)) == publish_status::accepted);
  seen.wait([&] { return structs == 200; });
}

TEST_CASE("zeromq: within one process the struct and the table are two types", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  auto sub = a.bus.subscribe(flat_orders, [](const flat<Order>&) {});
  const auto refused = a.bus.try_subscribe(native_orders, [](const OrderT&) {});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == error_code::topic_type_conflict);
}

TEST_CASE("zeromq: a full subscription of tables paces the publisher and loses nothing", "[zeromq]") {
  const auto file = file_of(2);
  placed_bus a(file, "a");
  placed_bus b(file, "b");
  auto in = b.bus.receiver(flat_orders, {.capacity = 8});
  auto out = a.bus.publisher(flat_orders);
  make_ready({&a, &b});
  std::thread feeding([&] {
    for (std::uint64_t i = 0; i != 2'000; ++i) out.publish(order_of(i, 100));
  });
  bool all = true;
  for (std::uint64_t i = 0; i != 2'000; ++i) {
    const auto next = in.next_for(std::chrono::seconds(30));
    all = all && next && is_order(**next, i, 100);
  }
  feeding.join();
  CHECK(all);
}
