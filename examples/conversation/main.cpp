// What belongs together? A payment does not know its order, a parcel knows neither; the bus knows. A message that a
// handler publishes carries on the correlation of the one in its hand, so a third party can join all three topics.
#include <amphibus/bus.hpp>

#include <cstdio>
#include <map>
#include <string>

namespace {

struct order_placed {
  int id;
  std::string customer;
};
struct payment_taken {
  int pence;
};
struct parcel_sent {
  std::string carrier;
};
constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};
constexpr amphibus::topic<payment_taken> payments{"shop.payments.taken"};
constexpr amphibus::topic<parcel_sent> parcels{"shop.parcels.sent"};

/// One conversation: everything that followed from one order.
struct story {
  std::string customer;
  int paid_pence = 0;
  std::string carrier;
};

}  // namespace

int main() {
  std::map<amphibus::message_id, story> stories;  // handlers of the default executor never overlap: no lock
  amphibus::bus bus;
  const auto tell_if_complete = [&](const amphibus::message_id& which) {
    const story& all = stories[which];
    if (all.customer.empty() || all.paid_pence == 0 || all.carrier.empty()) return;
    std::printf("%s paid %d p, sent by %s\n", all.customer.c_str(), all.paid_pence, all.carrier.c_str());
  };

  // Topics have no order among each other: whichever of the three comes last completes the story.
  auto heard_order = bus.subscribe(orders, [&](const order_placed& o, const amphibus::context& with) {
    stories[with.correlation()].customer = o.customer;
    tell_if_complete(with.correlation());
  });
  auto heard_payment = bus.subscribe(payments, [&](const payment_taken& p, const amphibus::context& with) {
    stories[with.correlation()].paid_pence = p.pence;
    tell_if_complete(with.correlation());
  });
  auto heard_parcel = bus.subscribe(parcels, [&](const parcel_sent& p, const amphibus::context& with) {
    stories[with.correlation()].carrier = p.carrier;
    tell_if_complete(with.correlation());
  });

  auto billing = bus.subscribe(orders, [&](const order_placed& o) { bus.publish(payments, {.pence = 500 * o.id}); });
  auto shipping = bus.subscribe(
      payments, [&](const payment_taken& p) { bus.publish(parcels, {.carrier = p.pence < 1000 ? "bicycle" : "van"}); });

  bus.publish(orders, {.id = 1, .customer = "Ada"});
  bus.publish(orders, {.id = 2, .customer = "Grace"});
  bus.publish(orders, {.id = 3, .customer = "Edsger"});
  bus.drain();  // what handlers publish is included
}
