#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <amphibus/base/clock.hpp>
#include <amphibus/testing/history.hpp>

#include "letter.hpp"
#include "world.hpp"

namespace amphibus::testing {

/// State that one thread changes and another waits for. A wait that takes this long is a failure, not a measurement.
class watched {
 public:
  static constexpr auto patience = testing::patience;

  template <class Change>
  void change(Change how) {
    {
      const std::lock_guard lock(mutex_);
      how();
    }
    changed_.notify_all();
  }
  template <class Condition>
  [[nodiscard]] bool wait(Condition until) {
    std::unique_lock lock(mutex_);
    return changed_.wait_until(lock, std::chrono::steady_clock::now() + patience, until);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
};

/// Closed until open() is called; handlers wait at it.
class gate {
 public:
  ~gate() { open(); }
  void open() {
    state_.change([this] { open_ = true; });
  }
  void pass() {
    state_.change([this] { ++visitors_; });
    (void)state_.wait([this] { return open_; });
  }
  /// Returns: true once somebody came.
  [[nodiscard]] bool wait_for_visitor() {
    return state_.wait([this] { return visitors_ > 0; });
  }

 private:
  watched state_;
  bool open_ = false;
  int visitors_ = 0;
};

/// One run of one case: its world, its history, and where failures go.
///
/// Declare it first, then gates and writers, then readers: what handlers touch has to outlive them.
class scenario {
 public:
  scenario(const subject& of, reporter& to, const world_options& options = {});

  [[nodiscard]] const subject& about() const noexcept { return subject_; }
  [[nodiscard]] bus& at(std::size_t process) { return world_.at(process); }
  [[nodiscard]] class world& world() noexcept { return world_; }
  [[nodiscard]] history& past() noexcept { return past_; }
  void make_ready() { world_.make_ready(); }

  /// On the thread of the case.
  void check(bool holds, const std::string& what) {
    if (!holds) reporter_.failed(what);
  }
  /// Waits until the reader has received that many; not reaching it is a failure, named by the verdict.
  void wait_for(std::uint32_t reader, std::uint64_t count);
  /// Closes the world and judges its history. `excused`: how many losses are accounted for elsewhere; then exactly so
  /// many have to be there.
  void judge(std::uint64_t excused = 0);

  /// Looks again and again until it holds; for what nobody announces. Returns: whether it came to hold.
  template <class Condition>
  [[nodiscard]] bool eventually(Condition holds) {
    base::parker nobody;
    const auto end = base::steady_clock().now() + watched::patience;
    while (!holds()) {
      const auto now = base::steady_clock().now();
      if (now >= end) return false;
      nobody.park_until(now + std::chrono::milliseconds(2));
    }
    return true;
  }

  /// How many messages events of this kind spoke of, in all processes.
  [[nodiscard]] std::uint64_t told(event_kind kind);
  /// How many events of this kind there were, in all processes.
  [[nodiscard]] std::size_t events_of(event_kind kind);
  [[nodiscard]] bool wait_for_event(event_kind kind);

 private:
  [[nodiscard]] bool claimed(history_fault_kind kind) const noexcept;
  /// The last ones, beside the faults: what the bus itself said.
  void report_events();

  const subject& subject_;
  reporter& reporter_;
  history past_;
  watched events_changed_;
  std::vector<event> events_;
  class world world_;
};

/// What lies between two processes is filled by some ten thousand messages of this size.
inline constexpr std::size_t filling = 1'024;

/// A publisher that records what it publishes. Thread: confined.
template <class T>
class writer {
 public:
  writer(scenario& in, std::size_t process, const topic<T>& to, const std::string& name,
         const publisher_options& options = {})
      : past_(in.past()),
        index_(past_.add_writer(name, std::string(to.name()))),
        out_(in.at(process).publisher(to, options)) {}

  /// Publishes its next message once.
  publish_status publish(std::size_t size_bytes = 0, std::uint32_t hops = 0, message_name cause = {}) {
    const message_name name{index_, ++count_};
    const auto answer = out_.publish(make<T>(name, size_bytes, hops));
    past_.published(name, answer, cause);
    return answer;
  }
  /// The same, with a key of `keys`; the history knows it from the number.
  publish_status publish_with_key(std::uint64_t keys) {
    const message_name name{index_, ++count_};
    const auto answer = out_.publish(make<T>(name), {.key = "key-" + std::to_string(name.number % keys)});
    past_.published(name, answer);
    return answer;
  }
  publish_status try_publish(std::size_t size_bytes = 0) {
    const message_name name{index_, ++count_};
    const auto answer = out_.try_publish(make<T>(name, size_bytes));
    past_.published(name, answer);
    return answer;
  }
  /// The message that was refused, again.
  publish_status repeat(std::size_t size_bytes = 0) {
    --count_;
    return publish(size_bytes);
  }
  /// Repeats until it is accepted. Returns: how often it was refused; stops at any other answer.
  std::uint64_t insist(std::size_t size_bytes = 0) {
    std::uint64_t refused = 0;
    for (auto answer = publish(size_bytes); answer == publish_status::would_block; answer = repeat(size_bytes)) {
      ++refused;
      std::this_thread::yield();
    }
    return refused;
  }
  /// Publishes until one is refused: everything on the way to somebody who takes nothing is full.
  void fill(std::size_t size_bytes) {
    while (publish(size_bytes) == publish_status::accepted) {
    }
  }
  [[nodiscard]] std::uint64_t accepted() const { return past_.answered(index_, publish_status::accepted); }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  history& past_;
  const std::uint32_t index_;
  std::uint64_t count_ = 0;
  publisher<T> out_;
};

/// Records what handlers publish, or a thread without a publisher of its own. Thread: confined, as a handler is.
template <class T>
class plain_writer {
 public:
  plain_writer(scenario& in, std::size_t process, const topic<T>& to, const std::string& name)
      : past_(in.past()), bus_(in.at(process)), to_(to), index_(past_.add_writer(name, std::string(to.name()))) {}

  publish_status publish(std::uint32_t hops = 0, message_name cause = {}, std::size_t size_bytes = 0) {
    const message_name name{index_, ++count_};
    const auto answer = bus_.publish(to_, make<T>(name, size_bytes, hops));
    past_.published(name, answer, cause);
    return answer;
  }
  [[nodiscard]] std::uint64_t accepted() const { return past_.answered(index_, publish_status::accepted); }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  history& past_;
  bus& bus_;
  const topic<T>& to_;
  const std::uint32_t index_;
  std::uint64_t count_ = 0;
};

struct reader_options {
  std::string_view name;
  std::size_t capacity = 8192;
  amphibus::overflow overflow = amphibus::overflow::block(watched::patience);
  executor_choice on = dedicated;
  history::duty owed = history::duty::everything;
  amphibus::start start = amphibus::start::live();
};

/// What a handler was given, as one reader of the history.
template <class T>
void record(history& past, std::uint32_t reader, const T& got, const context& with) {
  past.received(reader, name_of(got), {with.id(), with.correlation(), with.causation(), with.lost_before()},
                intact(got));
}

/// A group that records what its members receive, or a subscription with `.concurrency`, as one reader. Thread: members
/// come and go on any, one at a time.
template <class T>
class group_reader {
 public:
  /// `keys`: as history::orders_by_key.
  group_reader(scenario& in, std::size_t process, const topic<T>& to, const std::string& name, std::uint64_t keys)
      : past_(in.past()), bus_(in.at(process)), to_(to), index_(past_.add_reader(name, std::string(to.name()))) {
    past_.orders_by_key(index_, keys);
  }
  [[nodiscard]] subscription join(subscription_options with) {
    with.overflow = overflow::block(watched::patience);
    return bus_.subscribe(to_, with, [&past = past_, index = index_](const T& got, const context& with_it) {
      record(past, index, got, with_it);
    });
  }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  history& past_;
  bus& bus_;
  const topic<T>& to_;
  const std::uint32_t index_;
};

/// A subscription that records what it receives and then does what the case wants.
template <class T>
class reader {
 public:
  using action = std::function<void(const T&, const context&)>;

  reader(scenario& in, std::size_t process, const topic<T>& to, const reader_options& options, action then = {})
      : index_(in.past().add_reader(std::string(options.name), std::string(to.name()), options.owed)),
        kept_(in.at(process).subscribe(
            to,
            {.name = options.name,
             .capacity = options.capacity,
             .overflow = options.overflow,
             .on = options.on,
             .start = options.start},
            [&past = in.past(), index = index_, then = std::move(then)](const T& got, const context& with) {
              record(past, index, got, with);
              if (then) then(got, with);
            })) {}

  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }
  [[nodiscard]] subscription_counters counters() const { return kept_.counters(); }
  void end() { kept_.end(); }

 private:
  const std::uint32_t index_;
  subscription kept_;
};

}  // namespace amphibus::testing
