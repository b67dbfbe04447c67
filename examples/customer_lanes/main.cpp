// Transfers of many accounts on two threads: those of one account one after the other, in order, so that no transfer
// sees half of another; those of different accounts in parallel. No lock.
#include <amphibus/bus.hpp>

#include <array>
#include <cstdio>

namespace {

struct transfer {
  int account;
  int pence;  // below zero: a withdrawal
};
// The key says what must stay in order together.
constexpr amphibus::topic<transfer, &transfer::account> transfers{"bank.transfers"};

struct account {
  long balance = 0;
  int refused = 0;
};

}  // namespace

int main() {
  constexpr int accounts = 100;
  std::array<account, accounts> books;

  amphibus::bus bus;
  amphibus::pool clerks = bus.pool("clerks", {.threads = 2});
  auto booking = bus.subscribe(transfers, {.name = "booking", .on = clerks, .concurrency = 2}, [&](const transfer& t) {
    account& of = books[static_cast<std::size_t>(t.account)];  // nobody else is in the books of this account
    if (of.balance + t.pence < 0) {
      ++of.refused;
    } else {
      of.balance += t.pence;
    }
  });

  auto out = bus.publisher(transfers);
  for (int day = 0; day != 200; ++day) {
    for (int number = 0; number != accounts; ++number) {
      // Paid in before it is taken out: in any other order it would be refused.
      out.publish({number, 100 + number});
      out.publish({number, -(100 + number)});
    }
  }
  for (int number = 0; number != accounts; ++number) out.publish({number, -1});  // one penny more than there is
  bus.drain();

  long balance = 0;
  int refused = 0;
  for (const account& each : books) {
    balance += each.balance;
    refused += each.refused;
  }
  std::printf("%llu transfers booked, %d refused, %ld pence left\n",
              static_cast<unsigned long long>(booking.counters().handled), refused, balance);
}
