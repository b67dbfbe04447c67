// Members join and leave a group at random while two writers publish; a history judges every message: none lost, none
// twice, the order of each key kept, and no key in two handlers at once. Argument: millions of messages (10).
#include <amphibus/bus.hpp>
#include <amphibus/testing/history.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

using namespace amphibus;

constexpr std::uint64_t keys = 97;
constexpr std::uint64_t messages_per_round = 500'000;  // all writers together; what a history holds at a time
constexpr std::size_t writers = 2;

struct note {
  std::uint32_t writer;
  std::uint64_t number;
  [[nodiscard]] std::uint64_t key() const { return number % keys; }
};
constexpr topic<note, &note::key> notes{"proof.notes"};

struct outcome {
  std::uint64_t handled = 0;
  std::uint64_t joins = 0;
  std::uint64_t leaves = 0;
  std::uint64_t overlaps = 0;
  std::vector<testing::history_fault> faults;
};

/// One bus, its members and writers, from the first message to the verdict.
class round_of {
 public:
  explicit round_of(unsigned seed) : random_(seed) {
    group_ = past_.add_reader("group", "proof.notes");
    past_.orders_by_key(group_, keys);
  }

  outcome run() {
    std::atomic<std::size_t> writing{writers};
    std::vector<std::thread> threads;
    auto stays = join();
    for (std::size_t i = 0; i != writers; ++i) {
      const std::uint32_t index = past_.add_writer("writer " + std::to_string(i), "proof.notes");
      threads.emplace_back([&, index] {
        write(index);
        --writing;
      });
    }
    std::vector<subscription> members;
    while (writing != 0) change(members);
    for (auto& each : threads) each.join();
    const bool drained = bus_.drain(std::chrono::seconds(60)).complete();
    out_.overlaps = overlaps_;
    out_.handled = past_.received_count(group_);
    members.clear();
    stays.end();
    out_.faults = past_.verdict();
    if (!drained) out_.faults.push_back({testing::history_fault_kind::loss, "group", "", 0, "drain is not complete"});
    return std::move(out_);
  }

 private:
  subscription join() {
    ++out_.joins;
    return bus_.subscribe(notes, {.on = workers_, .group = "group", .concurrency = 2},
                          [this](const note& got, const context& with) {
                            std::atomic<int>& here = inside_[got.key()];
                            if (here.fetch_add(1) != 0) ++overlaps_;
                            past_.received(group_, {got.writer, got.number},
                                           {with.id(), with.correlation(), with.causation(), with.lost_before(), {}});
                            here.fetch_sub(1);
                          });
  }
  void change(std::vector<subscription>& members) {
    if (members.size() < 5 && random_() % 2 == 0) return members.push_back(join());
    if (members.empty()) return;
    members.erase(members.begin() + static_cast<std::ptrdiff_t>(random_() % members.size()));
    ++out_.leaves;
  }
  void write(std::uint32_t index) {
    auto out = bus_.publisher(notes);
    for (std::uint64_t number = 1; number <= messages_per_round / writers; ++number) {
      publish_status answer = out.publish({index, number});
      while (answer == publish_status::would_block) answer = out.publish({index, number});
      past_.published({index, number}, answer);
    }
  }

  testing::history past_;
  std::array<std::atomic<int>, keys> inside_{};
  std::atomic<std::uint64_t> overlaps_{0};
  outcome out_;
  std::mt19937 random_;
  std::uint32_t group_ = 0;
  bus bus_;
  pool workers_ = bus_.pool("workers", {.threads = 2});
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t wanted = (argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 10) * 1'000'000;
  outcome sum;
  for (unsigned seed = 1; sum.handled < wanted; ++seed) {
    const outcome one = round_of(seed).run();
    sum.handled += one.handled;
    sum.joins += one.joins;
    sum.leaves += one.leaves;
    sum.overlaps += one.overlaps;
    for (const auto& each : one.faults) std::printf("seed %u: %s\n", seed, to_string(each).c_str());
    sum.faults.insert(sum.faults.end(), one.faults.begin(), one.faults.end());
    if (one.handled == 0) break;
  }
  std::printf(
      "%llu messages of %zu writers at a time, %llu members joined, %llu left: faults %zu, keys in two handlers %llu\n",
      static_cast<unsigned long long>(sum.handled), writers, static_cast<unsigned long long>(sum.joins),
      static_cast<unsigned long long>(sum.leaves), sum.faults.size(), static_cast<unsigned long long>(sum.overlaps));
  return sum.faults.empty() && sum.overlaps == 0 && sum.handled >= wanted ? 0 : 1;
}
