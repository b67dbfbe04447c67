#include <amphibus/bus.hpp>

#include <algorithm>
#include <atomic>

#include <amphibus/base/this_thread.hpp>
#include <amphibus/config/config.hpp>

#include "detail/group_core.hpp"
#include "detail/inline_subscriber.hpp"
#include "detail/placement.hpp"
#include "detail/pool_executor.hpp"
#include "detail/turn_executor.hpp"

namespace amphibus {
namespace {

constexpr std::size_t pool_threads_max = 256;
constexpr std::size_t pool_priorities_max = 16;
constexpr std::size_t passed_over_highest = 1'000'000;
constexpr std::size_t concurrency_max = 256;
constexpr std::size_t group_name_max_bytes = 200;
constexpr std::size_t capacity_max = std::size_t{1} << 24U;
constexpr std::size_t capacity_bytes_max = std::size_t{1} << 46U;
std::atomic<std::uint64_t> next_subscription{1};

/// What a file says wins over code.
bus_options with_limits(const config::configuration& from, bus_options options) {
  if (from.memory_max_bytes.from.kind != config::origin_kind::code) {
    options.memory_max_bytes = from.memory_max_bytes.value;
  }
  return options;
}

std::int64_t checked_memory(const bus_options& options) {
  if (options.memory_max_bytes >= queue::memory_max_lowest_bytes &&
      options.memory_max_bytes <= queue::memory_max_highest_bytes) {
    return static_cast<std::int64_t>(options.memory_max_bytes);
  }
  throw error(error_code::bad_option,
              "bus option .memory_max_bytes is " + std::to_string(options.memory_max_bytes) + "; allowed are " +
                  std::to_string(queue::memory_max_lowest_bytes) + " to " +
                  std::to_string(queue::memory_max_highest_bytes),
              "choose a bound within the limits; the default is 1 GiB", {".memory_max_bytes"});
}

/// Every route that may leave the process needs its transport, and no two may answer to one name.
void check_transports(const config::configuration& from, const transport_list& offered) {
  std::vector<std::string> names{"inproc"};
  for (const auto& each : offered) {
    if (std::find(names.begin(), names.end(), each->name()) != names.end()) {
      throw error(error_code::config_conflict, "the bus is given two transports '" + std::string(each->name()) + "'",
                  "give each transport once; its routes share it");
    }
    names.emplace_back(each->name());
  }
  if (from.processes.size() < 2) return;  // nobody to talk to: every route stays in the process
  for (const config::route& each : from.routes) {
    const std::string& wanted = each.transport.value;
    if (std::find(names.begin(), names.end(), wanted) != names.end()) continue;
    throw error(error_code::config_unknown_name,
                "route '" + escaped(each.topic.value) + "' needs the transport '" + escaped(wanted) +
                    "', which the bus is not given",
                "add it to transports(…), or route the topic \"inproc\"", each.where);
  }
}

/// Several handlers compete for what lies in one inbox.
bool shares_inbox(const subscription_options& options) { return !options.group.empty() || options.concurrency != 1; }

[[noreturn]] void refuse_option(const char* option, const std::string& what, const std::string& mend) {
  throw error(error_code::bad_option, std::string("subscription option ") + option + what, mend, {option});
}

void check_sharing(const subscription_options& options) {
  if (options.concurrency < 1 || options.concurrency > concurrency_max) {
    refuse_option(
        ".concurrency",
        " is " + std::to_string(options.concurrency) + "; allowed are 1 to " + std::to_string(concurrency_max),
        "choose about as many as the pool has threads");
  }
  if (options.group.size() > group_name_max_bytes) {
    refuse_option(
        ".group",
        " has " + std::to_string(options.group.size()) + " bytes; allowed are " + std::to_string(group_name_max_bytes),
        "choose a shorter name");
  }
  const auto kind = options.overflow.rule().kind;
  if (kind == queue::overflow_kind::drop_oldest || kind == queue::overflow_kind::latest) {
    refuse_option(".overflow",
                  " is drop_oldest() or latest() with .group or .concurrency, where several handlers share one inbox: "
                  "what is handed out to them cannot be thrown out any more",
                  "use block(), fail() or drop_newest(), or one subscription without .group and .concurrency");
  }
  if (options.concurrency == 1) return;
  const bool runs_one = options.on.which() == executor_choice::kind::serial ||
                        (options.on.which() == executor_choice::kind::given &&
                         dynamic_cast<const detail::turn_executor*>(options.on.core().get()) == nullptr);
  if (!runs_one) return;
  refuse_option(".concurrency", " is " + std::to_string(options.concurrency) + ", but .on runs one handler at a time",
                "choose a pool (.on = bus.pool(\"workers\")) or dedicated, or leave .concurrency at 1");
}

void check_priority(const subscription_options& options) {
  if (options.priority == 0) return;
  const auto* const pool = dynamic_cast<const detail::pool_executor*>(options.on.core().get());
  const std::size_t there = pool != nullptr ? pool->options().priorities : 1;
  if (options.priority < there) return;
  refuse_option(".priority",
                " is " + std::to_string(options.priority) + ", but .on has " +
                    (there == 1 ? "no priorities" : "the priorities 0 to " + std::to_string(there - 1)),
                "leave it out, or subscribe on a pool that has more, bus.pool(name, {.priorities = …})");
}

}  // namespace

bus::bus(bus_options options)
    : core_(std::make_shared<detail::bus_core>(*options.clock, std::move(options.name), checked_memory(options))) {
  adopt_executor(options.on);
}

void bus::adopt_executor(const executor_choice& on) {
  if (on.which() == executor_choice::kind::serial) return;
  const bool overlaps = dynamic_cast<const detail::turn_executor*>(on.core().get()) != nullptr;
  if (on.which() != executor_choice::kind::given || overlaps) {
    throw error(error_code::bad_option, "bus option .on is neither serial nor a loop", "give a loop, or leave it out",
                {".on"});
  }
  core_->set_serial_executor(on.core());
}

bus::bus(const config::configuration& from, bus_options options, transport_list transports)
    : core_(std::make_shared<detail::bus_core>(*options.clock, std::move(options.name),
                                               checked_memory(with_limits(from, options)))) {
  adopt_executor(options.on);
  std::string process = config::choose_process(from, options.process).value();
  check_transports(from, transports);
  const auto placed = std::make_shared<detail::placement>(*core_, from, std::move(process), std::move(transports));
  if (const auto wrong = placed->check(); !wrong.empty()) throw wrong.front();
  core_->set_links(placed);
  placed->open();
}

drain_report bus::drain(base::duration deadline) { return core_->drain(deadline); }

close_report bus::close(base::duration deadline) { return core_->close(deadline); }

memory_counters bus::memory() const {
  const queue::byte_budget& budget = *core_->budget();
  return {static_cast<std::uint64_t>(budget.used_bytes()), static_cast<std::uint64_t>(budget.credit().capacity())};
}

wire_counters bus::bytes() const noexcept { return core_->bytes(); }

void bus::wait_until_ready(base::duration deadline) {
  const auto joined = core_->links();
  if (!joined) return;
  if (const auto why = joined->wait_until_ready(base::deadline_after(core_->clock().now(), deadline))) throw *why;
}

bus::~bus() {
  AMPHIBUS_ASSERT(!core_->inside_own_handler(), "a bus is destroyed inside a handler of its own");
  core_->close(std::chrono::seconds(5));
}

subscription bus::add_inline(detail::interest to, const subscription_options& options,
                             std::unique_ptr<detail::message_handler> handler,
                             std::unique_ptr<detail::message_filter> filter) {
  const subscription_options defaults;
  check_priority(options);
  if (shares_inbox(options)) {
    refuse_option(".on", " is inline_, which has no inbox to share by .group or .concurrency",
                  "leave them out, or choose an executor that queues, e.g. a pool");
  }
  if (options.start.per_key() != 0) {
    refuse_option(".on", " is inline_, which has no inbox to put a history into",
                  "leave .start out, or choose an executor that queues, e.g. .on = serial");
  }
  if (options.capacity != defaults.capacity || options.capacity_bytes != defaults.capacity_bytes ||
      options.overflow.rule().kind != queue::overflow_kind::block) {
    throw error(error_code::bad_option,
                "subscription option .on is inline_, which has no inbox for .capacity, .capacity_bytes or .overflow",
                "leave them out, or choose an executor that queues, e.g. .on = serial", {".on"});
  }
  const bool from_afar = core_->links() != nullptr && (to.topic == nullptr || to.topic->route() >= 0);
  const auto called = std::make_shared<detail::inline_subscriber>(core_, to, subscription_name(options),
                                                                  std::move(handler), std::move(filter));
  if (from_afar) {
    auto stand_in = std::make_shared<detail::mailbox<detail::any_slot>>(
        core_, std::move(to), core_->serial_executor(), called->name(), checked_bounds(options, 0),
        detail::make_stand_in_handler(called), detail::delivery_kind::stand_in);
    called->set_stand_in(stand_in);
    core_->subscribe(stand_in);
  }
  core_->subscribe(called);
  return subscription(called);
}

subscription bus::attach(std::shared_ptr<detail::slot_mailbox> box, const subscription_options& options,
                         std::unique_ptr<detail::message_filter> filter) {
  if (filter && !options.group.empty()) {
    refuse_option(".group", " is set for a handler with a filter, but the members of a group share one inbox",
                  "look at the message in the handler, or give each kind of message a topic of its own");
  }
  box->set_filter(std::move(filter));
  box->set_priority(options.priority);
  std::vector<std::shared_ptr<detail::executor_core>> on;
  const auto release = [&] {
    for (const auto& each : on) core_->release_dedicated(*each);
  };
  try {
    if (!shares_inbox(options)) {
      on.push_back(box->shared_executor());
      core_->subscribe(box);
      return subscription(std::move(box));
    }
    subscription_options of_one = options;
    of_one.group = {};
    of_one.concurrency = 1;
    while (on.size() != options.concurrency) on.push_back(executor_for(of_one));
    std::string name = options.group.empty() ? box->name() : subscription_name(options);
    const bool own_threads = options.on.which() == executor_choice::kind::dedicated;
    return subscription(core_->join_group(std::move(box), std::move(name), on, own_threads));
  } catch (...) {
    release();  // a thread that was started for what is refused now
    throw;
  }
}

std::shared_ptr<detail::executor_core> bus::executor_for(const subscription_options& options) {
  check_priority(options);
  if (shares_inbox(options)) {
    check_sharing(options);
    return std::make_shared<detail::group_core>(detail::group_terms{std::string(options.group), options.concurrency,
                                                                    options.capacity, options.capacity_bytes,
                                                                    options.overflow.rule(), options.start.per_key()});
  }
  switch (options.on.which()) {
    case executor_choice::kind::given: return options.on.core();
    case executor_choice::kind::dedicated: return core_->start_dedicated(std::string(options.name));
    case executor_choice::kind::in_publisher:
    case executor_choice::kind::serial: break;
  }
  return core_->serial_executor();
}

amphibus::pool bus::pool(std::string_view name, const pool_options& options) {
  const auto refuse = [&](const std::string& what, const std::string& mend) {
    throw error(error_code::bad_option, "pool '" + escaped(std::string(name)) + "': " + what, mend,
                {"pool " + escaped(std::string(name))});
  };
  if (name.empty()) refuse("has no name", "name it for what it does; its threads carry the name");
  if (options.threads < 1 || options.threads > pool_threads_max) {
    refuse(".threads is " + std::to_string(options.threads) + "; allowed are 1 to " + std::to_string(pool_threads_max),
           "choose about as many as cores");
  }
  if (options.priorities < 1 || options.priorities > pool_priorities_max) {
    refuse(".priorities is " + std::to_string(options.priorities) + "; allowed are 1 to " +
               std::to_string(pool_priorities_max),
           "two or three tell urgent work from the rest");
  }
  if (options.passed_over_max < 1 || options.passed_over_max > passed_over_highest) {
    refuse(".passed_over_max is " + std::to_string(options.passed_over_max) + "; allowed are 1 to " +
               std::to_string(passed_over_highest),
           "choose how many turns of urgent work others may wait for, e.g. 16");
  }
  if (options.spin < base::duration::zero() || options.spin > std::chrono::seconds(1)) {
    refuse(".spin is outside 0 to 1 s", "choose some 10 us, or leave it out");
  }
  const std::vector<int> usable = base::usable_cpus();
  for (const int cpu : options.cpus) {
    if (std::find(usable.begin(), usable.end(), cpu) != usable.end()) continue;
    std::string listed;
    for (const int each : usable) listed += (listed.empty() ? "" : ", ") + std::to_string(each);
    refuse(".cpus has " + std::to_string(cpu) + ", which this process may not use", "choose from: " + listed);
  }
  return amphibus::pool(core_->find_pool(std::string(name), options));
}

std::string bus::subscription_name(const subscription_options& options) {
  if (!options.name.empty()) return std::string(options.name);
  return "subscription-" + std::to_string(next_subscription.fetch_add(1, std::memory_order_relaxed));
}

std::string bus::inbox_name(const subscription_options& options) {
  return options.group.empty() ? subscription_name(options) : std::string(options.group);
}

std::shared_ptr<detail::executor_core> bus::resumes_on(const subscription_options& options) {
  if (shares_inbox(options)) {
    refuse_option(".group", " or .concurrency is set for a receiver, which pulls alone",
                  "subscribe a handler, or leave them out");
  }
  if (options.on.which() == executor_choice::kind::in_publisher) {
    refuse_option(".on", " is inline_ for a receiver, whose messages wait until they are pulled",
                  "leave .on out, or say where coroutines that wait for it go on");
  }
  auto chosen = options.on.which() != executor_choice::kind::serial ? executor_for(options) : nullptr;
  check_priority(options);
  return chosen;  // the serial executor starts when it is needed: a receiver that a thread pulls needs none
}

void bus::attach_pulled(const std::shared_ptr<detail::mailbox_base>& box, const subscription_options& options) {
  box->set_priority(options.priority);
  try {
    core_->subscribe(box);
  } catch (...) {
    box->release_thread();
    throw;
  }
}

detail::inbox_bounds bus::checked_bounds(const subscription_options& options, std::size_t bytes) {
  if (options.capacity < 1 || options.capacity > capacity_max) {
    throw error(error_code::bad_option,
                "subscription option .capacity is " + std::to_string(options.capacity) +
                    " messages; allowed are 1 to " + std::to_string(capacity_max),
                "choose a capacity within the limits; the default is 8192", {".capacity"});
  }
  if (options.capacity_bytes < 1 || options.capacity_bytes > capacity_bytes_max) {
    throw error(error_code::bad_option,
                "subscription option .capacity_bytes is " + std::to_string(options.capacity_bytes) +
                    "; allowed are 1 to " + std::to_string(capacity_bytes_max),
                "choose a bound within the limits; the default is 64 MiB", {".capacity_bytes"});
  }
  detail::inbox_bounds out{static_cast<std::int64_t>(options.capacity), options.overflow.rule()};
  if (out.overflow.kind == queue::overflow_kind::latest) {
    if (options.capacity_bytes == subscription_options{}.capacity_bytes) return out;
    throw error(error_code::bad_option,
                "subscription option .capacity_bytes is set with overflow::latest(), which keeps one message per key",
                "bound the keys by .capacity, and the memory of all messages by the bus's .memory_max_bytes",
                {".capacity_bytes"});
  }
  const std::size_t fit = std::max<std::size_t>(1, options.capacity_bytes / std::max<std::size_t>(1, bytes));
  out.capacity = static_cast<std::int64_t>(std::min(options.capacity, fit));
  if (bytes == 0) out.bytes_per_place = static_cast<std::int64_t>(options.capacity_bytes) / out.capacity;
  return out;
}

std::shared_ptr<detail::outlet_base> bus::find_outlet(const detail::source& by, const detail::topic_core& to) {
  for (const auto& each : by.outlets) {
    if (&each.outlet->to() == &to) return each.outlet;
  }
  return nullptr;
}

}  // namespace amphibus
