#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include <amphibus/bus.hpp>
#include <amphibus/testing/manual_clock.hpp>

namespace amphibus::testing {

/// What a context made by hand says.
struct context_options {
  std::string_view key = {};
  header_list headers = {};
  message_id correlation = {};    ///< none: the message's own id
  message_id causation = {};      ///< none: a first message
  std::uint64_t lost_before = 0;  ///< messages lost directly before
};

/// A context without a bus around it, to call a handler directly. Lifetime: not beyond its test_bus.
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
/// billing::start(t.bus());                        // subscribes to orders, publishes invoices
/// t.bus().publish(orders, {.id = 1, .pence = 1999});
/// t.run_until_idle();
/// CHECK(t.published(invoices).size() == 1);
/// ```
/// Serial handlers run in run_until_idle(), on this thread; deadlines pass when clock() is advanced, so call
/// run_until_idle() instead of drain(), which would wait for somebody to run the handlers. The record is one more
/// subscriber: a publish that nobody else wants answers accepted. Thread: confined; the bus itself is safe.
class test_bus {
 public:
  test_bus();
  test_bus(const test_bus&) = delete;
  test_bus& operator=(const test_bus&) = delete;
  ~test_bus();

  [[nodiscard]] amphibus::bus& bus() noexcept { return bus_; }
  [[nodiscard]] manual_clock& clock() noexcept { return clock_; }
  /// Runs every serial handler, cascades included. Returns: how many messages were handled.
  std::size_t run_until_idle() { return loop_.run_until_idle(); }

  /// Copies of everything published on `of` so far, in order.
  template <class T>
  [[nodiscard]] std::vector<T> published(const topic<T>& of) const {
    std::vector<T> out;
    const std::lock_guard lock(record_->mutex);
    for (const detail::any_slot& each : record_->all) {
      if (each.topic->name() == of.name()) out.push_back(*static_cast<const T*>(each.value()));
    }
    return out;
  }
  /// Forgets what was published so far.
  void forget_published() noexcept { record_->clear(); }

  /// A context as a handler of `of` would get it.
  template <class T>
  [[nodiscard]] made_context context_for(const topic<T>& of, const context_options& options = {}) {
    auto& core = *bus_.core();
    return {core, core.find_topic(of.name(), detail::type_operations_of<T>, of.codec()), options};
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
