#pragma once

#include <amphibus/app.hpp>
#include <amphibus/base/wait_until.hpp>
#include <amphibus/bus.hpp>
#include <amphibus/posting_executor.hpp>
#include <amphibus/receiver.hpp>
#include <amphibus/shutdown_signal.hpp>
#include <amphibus/task.hpp>
#include <amphibus/testing/conformance.hpp>
#include <amphibus/testing/test_bus.hpp>
#include <amphibus/wire/pod.hpp>
#include <amphibus/zeromq/zeromq.hpp>

#include <poll.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <map>
#include <semaphore>
#include <thread>
#include <variant>
#include <vector>

// What the fragments of documents and headers may take as given.
struct order_placed {
  int id;
  int pence;
};
inline constexpr amphibus::topic<order_placed> orders{"shop.orders.placed"};
extern amphibus::bus& bus;
void handle(const order_placed&);
struct ledger {
  long pence = 0;
};
struct io_executor {
  void post(amphibus::turn next);
};
extern io_executor& io;
void start_orders(amphibus::module&);
void start_billing(amphibus::module&);
