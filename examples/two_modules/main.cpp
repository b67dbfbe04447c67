// Two bounded contexts in one program. They share topics and nothing else: each has its own state and its own thread,
// so neither needs a lock.
#include <amphibus/app.hpp>

#include <cstdio>
#include <map>
#include <string>

namespace {

// The end of a stream is a message of the same topic, because there is no order between topics.
struct order {
  int table = 0;
  std::string dish;
  bool last = false;
};
struct meal {
  int table = 0;
  std::string dish;
  int pence = 0;
  bool last = false;
};
constexpr amphibus::topic<order> orders{"bistro.orders"};
constexpr amphibus::topic<meal> meals{"bistro.meals"};

void start_kitchen(amphibus::module& m) {
  using price_list = std::map<std::string, int>;
  const auto& prices = m.make<price_list>(price_list{{"soup", 450}, {"risotto", 1200}, {"tart", 600}});
  m.subscribe(orders, [&](const order& o) {
    m.bus().publish(meals, {o.table, o.dish, o.last ? 0 : prices.at(o.dish), o.last});
    if (o.last) m.done();
  });
}

void start_dining_room(amphibus::module& m) {
  auto& bills = m.make<std::map<int, int>>();
  m.subscribe(meals, [&](const meal& served) {
    if (!served.last) {
      bills[served.table] += served.pence;
      std::printf("table %d gets %s\n", served.table, served.dish.c_str());
      return;
    }
    for (const auto& [table, pence] : bills) std::printf("table %d pays %d p\n", table, pence);
    m.done();
  });
  m.run([&](std::stop_token) {  // starts when every module has subscribed
    auto waiter = m.publisher(orders);
    waiter.publish({.table = 1, .dish = "soup"});
    waiter.publish({.table = 2, .dish = "risotto"});
    waiter.publish({.table = 1, .dish = "tart"});
    waiter.publish({.last = true});
  });
}

}  // namespace

int main(int argc, char** argv) {
  amphibus::app bistro{argc, argv};
  bistro.module("kitchen", start_kitchen);
  bistro.module("dining_room", start_dining_room);
  return bistro.run();  // until both are done
}
