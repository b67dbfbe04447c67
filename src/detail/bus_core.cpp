#include <amphibus/detail/bus_core.hpp>

#include <algorithm>
#include <map>
#include <utility>

#include <amphibus/base/barrier.hpp>

#include <amphibus/topic.hpp>
#include <amphibus/wire/topic_name.hpp>

#include "detail/bus_state.hpp"
#include "detail/pool_executor.hpp"
#include "detail/thread_executor.hpp"

namespace amphibus::detail {

namespace {

std::atomic<std::uint64_t> next_bus_id{1};
constexpr std::size_t found_topics_max = 20'000;

/// Sources of one thread; ends them when the thread ends. Touched only when a source is made.
class sources_of_thread {
 public:
  ~sources_of_thread() {
    for (auto& [bus, owned] : entries_) {
      if (const auto alive = bus.lock()) alive->retire(owned);
    }
  }
  source* find(const bus_core& bus) const {
    for (const auto& [owner, owned] : entries_) {
      if (const auto alive = owner.lock(); alive.get() == &bus) return owned;
    }
    return nullptr;
  }
  void add(std::weak_ptr<bus_core> bus, source* owned) {
    std::erase_if(entries_, [](const auto& each) { return each.first.expired(); });
    entries_.emplace_back(std::move(bus), owned);
  }

 private:
  std::vector<std::pair<std::weak_ptr<bus_core>, source*>> entries_;
};

thread_local sources_of_thread own_sources;

std::string type_conflict(std::string_view topic, std::string_view first, std::string_view second) {
  return "topic '" + std::string(topic) + "' carries messages of type " + std::string(first) +
         " and was used with type " + std::string(second);
}

void adopt_key(topic_core& topic, const key_operations* key) {
  const key_operations* const known = topic.key();
  if (key == nullptr || key == known) return;
  if (known == nullptr) return topic.set_key(key);
  if (known->name == key->name) return;  // the same one, of another shared object
  throw error(error_code::topic_key_conflict,
              "topic '" + topic.name() + "' has the key " + std::string(known->name) + " and was used with the key " +
                  std::string(key->name),
              "share one topic constant through a header");
}

std::string described(const queue::retain_rule& rule) {
  return "the last " + std::to_string(rule.per_key) + " of each key, " + std::to_string(rule.messages_max) + " of all";
}

bool covers(const interest& pattern, const topic_core& topic) {
  return wire::topic_matches(pattern.pattern, topic.name()) &&
         (pattern.type == nullptr || same_type(*pattern.type, topic.type()));
}

void check_history(const topic_core& topic, std::size_t wanted) {
  const std::size_t there = topic.retained().per_key;
  if (wanted <= there) return;
  const std::string asked = std::to_string(wanted);
  throw error(error_code::bad_option,
              "subscription option .start asks for the last " + asked + " messages of each key of topic '" +
                  topic.name() + "', which retains " + (there == 0 ? "nothing" : std::to_string(there)),
              "let the topic retain them, by its constant {\"" + topic.name() + "\", amphibus::retain::history(" +
                  asked + ")} or by `retain = \"history(" + asked + ")\"` on its route; or ask for less",
              {".start"});
}

}  // namespace

bus_core::bus_core(base::clock& time, std::string name, std::int64_t memory_max)
    : id_(next_bus_id.fetch_add(1, std::memory_order_relaxed)),
      incarnation_(base::random_nonzero()),
      clock_(time),
      budget_(std::make_shared<queue::byte_budget>(memory_max)),
      own_(std::make_shared<own_state>(std::move(name), memory_max / 2, time)) {}

ending_handlers& bus_core::ending() noexcept { return own_->ending; }
timer_desk& bus_core::timers() noexcept { return own_->timers; }

bus_core::~bus_core() = default;

topic_core& bus_core::find_topic(std::string_view name, const type_operations& type, const topic_traits& traits) {
  std::unique_lock lock(own_->topics_mutex);
  if (const auto found = own_->topics.find(name); found != own_->topics.end()) {
    topic_core& topic = *found->second;
    if (!same_type(topic.type(), type)) {
      throw error(error_code::topic_type_conflict, type_conflict(name, topic.type().name, type.name),
                  "use one message type per topic; give the second type a topic of its own");
    }
    adopt_traits(topic, traits);
    const bool first_named = own_->found_topics.erase(&topic) != 0;
    const auto joined = first_named ? own_->links : nullptr;
    lock.unlock();
    if (joined) joined->topics_changed();
    return topic;
  }
  return create_topic(std::move(lock), name, type, traits, false);
}

void bus_core::adopt_traits(topic_core& topic, const topic_traits& traits) {
  adopt_key(topic, traits.key);
  if (traits.kept.per_key == 0) return;
  const queue::retain_rule rule = own_->links ? own_->links->retained(topic.name(), traits.kept) : traits.kept;
  const queue::retain_rule there = topic.retained();
  if (there == rule) return;
  if (there.per_key != 0) {
    throw error(error_code::topic_retain_conflict,
                "topic '" + topic.name() + "' retains " + described(there) +
                    ", and was used with a constant that retains " + described(rule),
                "share one topic constant through a header");
  }
  topic.retain(rule, own_->kept);
  bump_version();
}

topic_core& bus_core::create_topic(std::unique_lock<std::mutex> lock, std::string_view name,
                                   const type_operations& type, const topic_traits& traits, bool found) {
  auto created = std::make_unique<topic_core>(std::string(name), type);
  created->set_codec(traits.codec);
  created->set_key(traits.key);
  const queue::retain_rule kept = own_->links ? own_->links->retained(name, traits.kept) : traits.kept;
  if (kept.per_key != 0) created->retain(kept, own_->kept);
  if (own_->links) own_->links->place(*created);
  topic_core& topic = *created;
  own_->topics.emplace(topic.name(), std::move(created));
  if (found) own_->found_topics.insert(&topic);
  std::vector<std::shared_ptr<subscriber_base>> mismatched;
  for (const auto& each : own_->patterns) {
    if (!match(topic, each)) mismatched.push_back(each);
  }
  lock.unlock();  // a callback of an event may do anything
  for (const auto& each : mismatched) tell_mismatch(*each, topic.name(), topic.type().name);
  return topic;
}

bool bus_core::match(topic_core& topic, const std::shared_ptr<subscriber_base>& pattern) {
  const interest& wants = pattern->wants();
  if (!wire::topic_matches(wants.pattern, topic.name())) return true;
  if (!covers(wants, topic)) return false;
  topic.add(pattern);
  return true;
}

void bus_core::tell_mismatch(subscriber_base& pattern, std::string_view topic, std::string_view type) {
  // A stand-in has the pattern of another subscription, which tells.
  if (pattern.kind() == delivery_kind::stand_in || !pattern.first_mismatch()) return;
  const interest& wants = pattern.wants();
  const std::string begin = "pattern '" + wants.pattern + "' is of ";
  const std::string of = escaped(std::string(type));  // what the peer calls it
  report({event_kind::topic_skipped, std::string(topic), pattern.name(), "", 0,
          wants.type != nullptr ? begin + "type " + std::string(wants.type->name) + ", this topic of " + of +
                                      ": such topics are passed over; narrow the pattern, or use pattern<any_message>"
                                : begin + "every type, but nothing in this process names type " + of +
                                      " of this topic of another process: such topics are passed over; name the type "
                                      "by a topic or a pattern of it"});
}

const topic_core* bus_core::add_pattern(const std::shared_ptr<subscriber_base>& who) {
  const topic_core* mismatched = nullptr;
  const std::lock_guard lock(own_->topics_mutex);
  const interest& wants = who->wants();
  for (const auto& [name, topic] : own_->topics) {
    if (wants.history != 0 && covers(wants, *topic)) check_history(*topic, wants.history);
  }
  own_->patterns.push_back(who);
  for (const auto& [name, topic] : own_->topics) {
    if (!match(*topic, who)) mismatched = topic.get();
  }
  return mismatched;
}

std::vector<interest> bus_core::all_patterns() const {
  const std::lock_guard lock(own_->topics_mutex);
  std::vector<interest> out;
  for (const auto& each : own_->patterns) out.push_back(each->wants());
  return out;
}

bus_core::known_type bus_core::find_type(const remote_topic& of,
                                         const std::vector<std::shared_ptr<subscriber_base>>& covering) const {
  const auto names = [&](const wire::codec_operations* codec) {
    return codec != nullptr && codec->type_name == of.type_name && codec->major == of.major;
  };
  bool any_type = false;
  for (const auto& each : covering) {
    if (names(each->wants().codec)) return {each->wants().type, each->wants().codec};
    any_type = any_type || each->wants().type == nullptr;
  }
  if (!any_type) return {};
  for (const auto& each : own_->patterns) {
    if (names(each->wants().codec)) return {each->wants().type, each->wants().codec};
  }
  for (const auto& [name, each] : own_->topics) {
    if (names(each->codec())) return {&each->type(), each->codec()};
  }
  return {};
}

void bus_core::offer_topic(const remote_topic& of) {
  std::vector<std::shared_ptr<subscriber_base>> covering;
  std::unique_lock lock(own_->topics_mutex);
  if (own_->topics.contains(of.name)) return;
  for (const auto& each : own_->patterns) {
    if (wire::topic_matches(each->wants().pattern, of.name)) covering.push_back(each);
  }
  const known_type known = find_type(of, covering);
  if (known.type == nullptr) {
    lock.unlock();
    for (const auto& each : covering) tell_mismatch(*each, of.name, of.type_name);
    return;
  }
  if (own_->found_topics.size() < found_topics_max) {
    create_topic(std::move(lock), of.name, *known.type, {.codec = known.codec}, true);
    return;
  }
  const bool first = !std::exchange(own_->told_too_many_found, true);
  lock.unlock();
  if (first) tell_too_many_found(*covering.front(), of.name);
}

void bus_core::tell_too_many_found(const subscriber_base& pattern, std::string_view topic) {
  report({event_kind::topic_skipped, std::string(topic), pattern.name(), "", 0,
          "patterns of this process have found 20,000 topics that only others name: further ones are passed over; "
          "narrow the patterns, or put what makes the names many into the message or its key"});
}

topic_core* bus_core::find_topic(std::string_view name) const {
  const std::lock_guard lock(own_->topics_mutex);
  const auto found = own_->topics.find(name);
  return found == own_->topics.end() ? nullptr : found->second.get();
}

std::vector<topic_core*> bus_core::all_topics() const {
  const std::lock_guard lock(own_->topics_mutex);
  std::vector<topic_core*> out;
  for (const auto& [name, topic] : own_->topics) out.push_back(topic.get());
  return out;
}

std::vector<topic_core*> bus_core::named_topics() const {
  const std::lock_guard lock(own_->topics_mutex);
  std::vector<topic_core*> out;
  for (const auto& [name, topic] : own_->topics) {
    if (!own_->found_topics.contains(topic.get())) out.push_back(topic.get());
  }
  return out;
}

std::shared_ptr<executor_core> bus_core::serial_executor() {
  const std::lock_guard lock(own_->executors_mutex);
  if (!own_->serial) {
    own_->serial = std::make_shared<thread_executor>(own_->name);
    own_->executors.push_back(own_->serial);
  }
  return own_->serial;
}

void bus_core::set_serial_executor(std::shared_ptr<executor_core> given) {
  const std::lock_guard lock(own_->executors_mutex);
  own_->serial = std::move(given);
}

std::shared_ptr<executor_core> bus_core::find_pool(std::string name, const pool_options& options) {
  const std::lock_guard lock(own_->executors_mutex);
  if (current_phase() != phase::open) {
    throw error(error_code::bus_closed, "pool '" + name + "' on a bus that is closed", "make pools before close()");
  }
  for (const auto& each : own_->executors) {
    const auto* const known = dynamic_cast<const pool_executor*>(each.get());
    if (known == nullptr || known->name() != name) continue;
    if (known->options() == options) return each;
    throw error(error_code::bad_option, "pool '" + escaped(name) + "' exists with other options",
                "use the same options everywhere, or another name", {"pool " + escaped(name)});
  }
  return own_->executors.emplace_back(std::make_shared<pool_executor>(std::move(name), options));
}

std::shared_ptr<executor_core> bus_core::start_executor(std::string name) {
  auto created = std::make_shared<thread_executor>(std::move(name));
  const std::lock_guard lock(own_->executors_mutex);
  return own_->executors.emplace_back(std::move(created));
}

std::shared_ptr<executor_core> bus_core::start_dedicated(std::string name) {
  auto created = std::make_shared<thread_executor>(std::move(name));
  const std::lock_guard lock(own_->executors_mutex);
  return own_->dedicated.emplace_back(std::move(created));
}

void bus_core::release_dedicated(executor_core& which) noexcept {
  std::shared_ptr<executor_core> released;
  {
    const std::lock_guard lock(own_->executors_mutex);
    const auto found = std::find_if(own_->dedicated.begin(), own_->dedicated.end(),
                                    [&](const auto& each) { return each.get() == &which; });
    if (found == own_->dedicated.end()) return;
    released = *found;
  }
  released->stop();
  if (!released->join()) return;  // its own thread: close() joins it
  const std::lock_guard lock(own_->executors_mutex);
  std::erase(own_->dedicated, released);
}

void bus_core::subscribe(const std::shared_ptr<subscriber_base>& who) {
  const topic_core* const mismatched = subscribe_silently(who);
  if (mismatched != nullptr) tell_mismatch(*who, mismatched->name(), mismatched->type().name);
}

const topic_core* bus_core::subscribe_silently(const std::shared_ptr<subscriber_base>& who) {
  if (current_phase() != phase::open || in_child_of_fork()) {
    throw error(error_code::bus_closed, "subscribe to '" + who->wanted_name() + "' on a bus that is closed",
                "subscribe before close(); a child of fork() needs a bus of its own");
  }
  const topic_core* mismatched = nullptr;
  slot_mailbox* const fills = who->wants().history != 0 ? static_cast<slot_mailbox*>(who.get()) : nullptr;
  {
    // Nothing of it is handled before all of its history is there.
    const auto filling =
        fills != nullptr ? std::unique_lock(fills->consumer_lock()) : std::unique_lock<base::small_mutex>();
    if (topic_core* const topic = who->wants().topic) {
      if (fills != nullptr) check_history(*topic, who->wants().history);
      topic->add(who);
    } else {
      mismatched = add_pattern(who);
    }
  }
  bump_version();
  if (fills != nullptr) fills->bounds().announce();
  if (const auto joined = links()) joined->topics_changed();
  return mismatched;
}

void bus_core::remove(subscriber_base& who) {
  if (in_child_of_fork()) return;
  std::vector<topic_core*> of;
  if (topic_core* const topic = who.wants().topic) {
    of.push_back(topic);
  } else {
    const std::lock_guard lock(own_->topics_mutex);
    std::erase_if(own_->patterns, [&](const auto& each) { return each.get() == &who; });
    for (const auto& [name, each] : own_->topics) {
      if (wire::topic_matches(who.wants().pattern, name)) of.push_back(each.get());
    }
  }
  for (topic_core* topic : of) topic->remove(who);
  bump_version();
  base::heavy_barrier();
  for (topic_core* topic : of) topic->wait_for_publishers();
  if (queue::inbox_base* const inbox = who.waiting_room()) inbox->credit().notify_all();
  if (const auto joined = links()) joined->topics_changed();
}

std::uint64_t bus_core::alias_of(const source_id& remote) { return own_->origins.alias_of(remote); }

message_id bus_core::id_of(identity_word identity) const {
  identity = settled(identity);
  if (!identity.is_packed()) return identity.block()->value.id;
  const std::uint64_t index = identity.source();
  const source_id from =
      origin_table::is_alias(index) ? own_->origins.source_of(index) : source_id{incarnation_, index};
  return {from, identity.sequence()};
}

wire::envelope bus_core::envelope_of(identity_word identity) const {
  identity = settled(identity);
  if (!identity.is_packed()) {
    wire::envelope out = identity.block()->value;
    const base::time_point deadline = identity.block()->deadline;
    if (deadline != base::time_point::max()) out.time_left = std::max(deadline - clock_.now(), base::duration::zero());
    return out;
  }
  return wire::first_envelope(id_of(identity));
}

source& bus_core::thread_source() {
  if (source* known = own_sources.find(*this)) return *known;
  auto created = std::make_unique<source>();
  source* const raw = created.get();
  {
    const std::lock_guard lock(own_->threads_mutex);
    own_->thread_sources.push_back(std::move(created));
  }
  own_sources.add(weak_from_this(), raw);
  return *raw;
}

void bus_core::retire(const source* of_thread) noexcept {
  std::unique_ptr<source> dying;
  const std::lock_guard lock(own_->threads_mutex);
  const auto found = std::find_if(own_->thread_sources.begin(), own_->thread_sources.end(),
                                  [&](const auto& each) { return each.get() == of_thread; });
  if (found == own_->thread_sources.end()) return;
  dying = std::move(*found);
  own_->thread_sources.erase(found);
}

void bus_core::report(const event& what) noexcept { own_->events.report(what); }
void bus_core::on_event(std::unique_ptr<callback<const event&>> call) { own_->events.on_event(std::move(call)); }
void bus_core::on_log(std::unique_ptr<callback<std::string_view>> call) { own_->events.on_log(std::move(call)); }

void bus_core::set_links(std::shared_ptr<remote_links> links) {
  const std::lock_guard lock(own_->topics_mutex);
  if (own_->links) own_->final_bytes = own_->links->bytes();
  own_->links.swap(links);
}

wire_counters bus_core::bytes() const noexcept {
  const std::lock_guard lock(own_->topics_mutex);
  return own_->links ? own_->links->bytes() : own_->final_bytes;
}

std::shared_ptr<remote_links> bus_core::links() const {
  const std::lock_guard lock(own_->topics_mutex);
  return own_->links;
}

}  // namespace amphibus::detail
