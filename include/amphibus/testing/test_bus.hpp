#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/testing/manual_clock.hpp>

#pragma GCC visibility push(default)
namespace amphibus::testing {

/// What a context made by hand says. Thread: const-safe. Lifetime: the call; copies are kept.
struct context_options {
  std::string_view key = {};
  header_list headers = {};
  message_id correlation = {};    ///< none: the message's own id
  message_id causation = {};      ///< none: a first message
  std::uint64_t lost_before = 0;  ///< messages lost directly before
  base::duration time_left = base::duration::max();
};

/// A context without a bus around it, to call a handler directly; made by test_bus::context_for().
///
/// ```cpp
/// amphibus::testing::test_bus t;
/// const auto on_order = [](const order_placed&, const amphibus::context& with) { return with.lost_before() == 0; };
/// const bool complete = on_order({.id = 1, .pence = 100}, t.context_for(orders, {.lost_before = 2}));
/// ```
/// Thread: confined. Lifetime: not beyond its test_bus.
class made_context {
 public:
  made_context(const made_context&) = delete;
  made_context& operator=(const made_context&) = delete;
  ~made_context();

  operator const context&() const noexcept { return with_; }  // NOLINT(google-explicit-constructor): it is one
  [[nodiscard]] const context* operator->() const noexcept { return &with_; }

 private:
  friend class test_bus;
  made_context(detail::bus_core& core, detail::topic_core& about, const context_options& options);

  detail::envelope_pool envelopes_;
  detail::topic_core* topic_;
  detail::identity_word identity_;
  context with_;
};

/// A bus for unit tests: no thread of its own, time that stands still, and a record of everything published.
///
/// ```cpp
/// amphibus::testing::test_bus t;
/// auto billing = t.bus().subscribe(orders, [](const order_placed&) {});   // what is tested
/// t.bus().publish(orders, {.id = 1, .pence = 1999});
/// t.run_until_idle();
/// const bool good = t.published(orders).size() == 1;
/// ```
/// Serial handlers run in run_until_idle(), on this thread; deadlines pass when clock() is advanced, so call
/// run_until_idle() instead of drain(), which would wait for somebody to run the handlers. The record is one more
/// subscriber: a publish that nobody else wants answers accepted. Thread: confined; the bus itself is safe. Lifetime:
/// outlives what subscribes to it; its end closes the bus at once, without draining.
class test_bus {
 public:
  test_bus();
  test_bus(const test_bus&) = delete;
  test_bus& operator=(const test_bus&) = delete;
  ~test_bus();

  [[nodiscard]] amphibus::bus& bus() noexcept { return bus_; }
  [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
  /// Runs every serial handler, cascades included; not inside one (asserts). Returns: how many messages were handled.
  std::size_t run_until_idle() { return loop_.run_until_idle(); }

  /// Copies of everything accepted on `of` since the last forget_published(), in order. Looks through everything on
  /// record, of whatever topic. What a handler publishes into a full inbox is on record when it is placed.
  template <class T>
  [[nodiscard]] std::vector<T> published(const topic<T>& of) const {
    std::vector<T> out;
    const std::lock_guard lock(record_->mutex);
    for (const detail::any_slot& each : record_->all) {
      if (each.topic->name() == of.name()) out.push_back(*static_cast<const T*>(each.value()));
    }
    return out;
  }
  /// Forgets what was published so far. Until then the record keeps every message alive.
  void forget_published() noexcept { record_->clear(); }

  /// A context as a handler of `of` would get it.
  template <class T>
  [[nodiscard]] made_context context_for(const topic<T>& of, const context_options& options = {}) {
    auto& core = *bus_.core();
    return {core, core.find_topic(of.name(), detail::type_operations_of<T>, {of.codec(), of.key(), of.retained()}),
            options};
  }

 private:
  struct record {
    mutable std::mutex mutex;
    std::vector<detail::any_slot> all;  // guarded by mutex
    void add(const any_message& message);
    void clear() noexcept;
  };

  manual_clock clock_;
  loop loop_;
  amphibus::bus bus_;
  std::unique_ptr<record> record_;
  subscription tap_;
};

}  // namespace amphibus::testing
#pragma GCC visibility pop
