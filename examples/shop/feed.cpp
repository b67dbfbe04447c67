// feed: tells the shop what came in, row by row, round by round.
#include "modules.hpp"
#include "orders_file.hpp"

namespace shop {
namespace {

/// A slow shop slows the feed down; it never loses an order. Returns: false when the bus closed.
bool deliver(amphibus::publisher<ReceivedT>& out, const ReceivedT& row, const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    if (const auto status = out.publish(row); status != amphibus::publish_status::would_block) {
      return status != amphibus::publish_status::closed;
    }
  }
  return false;
}

}  // namespace

void start_feed(amphibus::module& m, const settings& with) {
  auto& rows = m.make<std::vector<ReceivedT>>(read_orders(with.data).value());
  m.run([&m, &rows, rounds = with.rounds](const std::stop_token& stop) {
    auto out = m.publisher(received);
    for (unsigned round = 0; round != rounds; ++round) {
      for (const ReceivedT& row : rows) {
        if (!deliver(out, row, stop)) return;
      }
    }
    ReceivedT end;
    end.kind = Kind::end;
    if (deliver(out, end, stop)) m.done();
  });
}

}  // namespace shop
