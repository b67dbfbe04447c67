#include <amphibus/queue/credit.hpp>

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>
#include <vector>

using amphibus::queue::credit_account;

namespace {

struct counting_listener final : amphibus::queue::space_listener {
  int calls = 0;
  void space_available() noexcept override { ++calls; }
};

}  // namespace

TEST_CASE("credit: it hands out what is free and never more", "[queue]") {
  credit_account account(10);
  CHECK(account.take(4) == 4);
  CHECK(account.take(8) == 6);
  CHECK(account.take(1) == 0);
  account.give_back(3);
  CHECK(account.take(8) == 3);
}

TEST_CASE("credit: a listener is called once, when half of the capacity is free", "[queue]") {
  credit_account account(10);
  REQUIRE(account.take(10) == 10);
  counting_listener waiting;
  REQUIRE(account.listen(waiting));
  account.give_back(4);
  CHECK(waiting.calls == 0);
  account.give_back(1);
  CHECK(waiting.calls == 1);
  account.give_back(5);
  CHECK(waiting.calls == 1);
}

TEST_CASE("credit: who would listen although there is room is told so at once", "[queue]") {
  credit_account account(2);
  counting_listener waiting;
  CHECK_FALSE(account.listen(waiting));
  account.notify_all();
  CHECK(waiting.calls == 0);
}

TEST_CASE("credit: a forgotten listener is not called, the others are", "[queue]") {
  credit_account account(2);
  REQUIRE(account.take(2) == 2);
  counting_listener first, second, third;
  for (auto* each : {&first, &second, &third}) REQUIRE(account.listen(*each));
  account.forget(second);
  account.give_back(2);
  CHECK(first.calls == 1);
  CHECK(second.calls == 0);
  CHECK(third.calls == 1);
}

TEST_CASE("credit: an idle consumer wakes waiters before half is free", "[queue]") {
  credit_account account(10);
  REQUIRE(account.take(10) == 10);
  counting_listener waiting;
  REQUIRE(account.listen(waiting));
  account.give_back(1);
  account.notify_if_waiting();
  CHECK(waiting.calls == 1);
}

TEST_CASE("credit: what several threads take and return adds up", "[queue]") {
  credit_account account(1000);
  std::atomic<std::int64_t> out{0};
  std::atomic<bool> exceeded{false};
  std::vector<std::thread> threads;
  for (int t = 0; t != 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i != 20'000; ++i) {
        const auto taken = account.take(1 + i % 400);
        if (out.fetch_add(taken) + taken > 1000) exceeded = true;
        out.fetch_sub(taken);
        account.give_back(taken);
      }
    });
  }
  for (auto& each : threads) each.join();
  CHECK_FALSE(exceeded);
  CHECK(account.available() == 1000);
}
