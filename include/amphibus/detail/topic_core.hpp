#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>
#include <vector>

#include <amphibus/base/small_mutex.hpp>
#include <amphibus/counters.hpp>
#include <amphibus/detail/message.hpp>
#include <amphibus/queue/inbox.hpp>
#include <amphibus/queue/retain_rule.hpp>
#include <amphibus/wire/codec.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

class bus_core;
class egress_inbox;
class history_keeper;
struct kept_memory;
class outlet_base;
class subscriber_base;
struct key_operations;

/// What became of a message from a transport; see transport::delivery.
enum class input_result : std::uint8_t { delivered, full, no_subscriber, undecodable };

/// `count` messages were delivered; `next` is what became of the one after them, `delivered` if there was none.
struct input_progress {
  std::size_t count;
  input_result next;
};

/// The way of one topic from a transport into local inboxes; the typed half of transport::ingress.
class remote_input {
 public:
  virtual ~remote_input() = default;
  /// Delivers in order until one message cannot be.
  virtual input_progress deliver(const wire::received_run& messages) = 0;
};

/// Everything the untyped parts need to know about a message type. Compare with same_type().
struct type_operations {
  std::string_view name;                                      ///< as the compiler prints it
  bool travels_inline;                                        ///< in the queue's slot, without a block
  const void* (*block_value)(queue::block_header*) noexcept;  ///< the T inside a value_block
  void (*drop_block)(queue::block_header*, queue::returning_blocks&) noexcept;
  std::shared_ptr<remote_input> (*make_input)(bus_core&, topic_core&, const wire::codec_operations&,
                                              queue::space_listener&);
  const std::type_info* identity;  ///< null in what is compiled without RTTI
};

/// A type has one object per program, but another one in every shared object that hides it. Then std::type_info
/// decides, which also keeps types of one name in two anonymous namespaces apart.
[[nodiscard]] inline bool same_type(const type_operations& a, const type_operations& b) noexcept {
  return &a == &b || (a.identity != nullptr && b.identity != nullptr && *a.identity == *b.identity);
}

/// Who receives a topic; replaced as a whole, read by publishers when the bus's version moved.
struct receiver_table {
  std::vector<std::shared_ptr<subscriber_base>> subscribers;
  std::shared_ptr<egress_inbox> egress;  ///< only while a peer wants the topic
  history_keeper* keeper = nullptr;      ///< of the topic; null: it retains nothing
};

/// What a topic constant says beside its name and type.
struct topic_traits {
  const wire::codec_operations* codec = nullptr;
  const key_operations* key = nullptr;
  queue::retain_rule kept = {};
};

/// One topic of one bus. Thread: safe. Lifetime: the bus's.
class topic_core {
 public:
  topic_core(std::string name, const type_operations& type);
  ~topic_core();
  topic_core(const topic_core&) = delete;
  topic_core& operator=(const topic_core&) = delete;

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] const type_operations& type() const noexcept { return type_; }
  [[nodiscard]] const wire::codec_operations* codec() const noexcept { return codec_.load(std::memory_order_acquire); }
  void set_codec(const wire::codec_operations* codec) noexcept { codec_.store(codec, std::memory_order_release); }

  /// How its messages are kept apart; null: by publish_options::key alone.
  [[nodiscard]] const key_operations* key() const noexcept { return key_.load(std::memory_order_acquire); }
  void set_key(const key_operations* key) noexcept { key_.store(key, std::memory_order_release); }

  /// What it keeps for subscriptions that come later.
  [[nodiscard]] queue::retain_rule retained() const;
  /// Keeps from now on, for good. Call bump_version() afterwards.
  void retain(const queue::retain_rule& rule, kept_memory& memory);
  /// Forgets what is kept, and keeps nothing any more. Precondition: nobody publishes.
  void stop_retaining();

  [[nodiscard]] receiver_table table() const;
  /// Also hands out what `who` wants of the past, and then moves the version: no message is missing in between, and
  /// none comes twice. Precondition where something is kept: its consumer_lock() is held.
  void add(std::shared_ptr<subscriber_base> who);
  void remove(const subscriber_base& who);
  /// Binds the topic to its route's egress, at creation.
  void set_route(std::size_t route, std::shared_ptr<egress_inbox> egress, std::atomic<bool>& has_dropped);
  /// The route's position, or -1 for a topic that stays in the process.
  [[nodiscard]] int route() const noexcept { return route_; }
  void set_remote_interest(bool wanted);
  [[nodiscard]] bool subscribed() const;
  /// The same without patterns that are told to other processes as such.
  [[nodiscard]] bool subscribed_by_name() const;
  [[nodiscard]] std::vector<std::shared_ptr<subscriber_base>> subscribers() const;

  void add_outlet(outlet_base& who);
  void remove_outlet(outlet_base& who);
  [[nodiscard]] std::vector<std::shared_ptr<outlet_base>> outlets() const;
  /// Returns when every publish that pushes by an older table has ended; calls are waited for by whose they are.
  /// Precondition: the version moved, then a heavy_barrier().
  void wait_for_publishers();

  [[nodiscard]] topic_counters counters() const;
  void count_undeliverable(std::uint64_t count) noexcept { undeliverable_.fetch_add(count, std::memory_order_relaxed); }
  // Of a topic that has a route:
  void count_egress_dropped(std::uint64_t count) noexcept;
  void count_egress_expired() noexcept;
  /// Egress: drops that have not consumed sequence numbers yet.
  std::uint64_t take_egress_dropped() noexcept;

 private:
  struct publishing;
  struct leaving;

  // Small, because a program may have a million of them, most of which say nothing; what only some have is apart.
  const std::string name_;
  const type_operations& type_;
  std::atomic<const wire::codec_operations*> codec_{nullptr};
  std::atomic<const key_operations*> key_{nullptr};
  int route_ = -1;
  mutable base::small_mutex mutex_;
  std::vector<std::shared_ptr<subscriber_base>> subscribers_;
  std::shared_ptr<publishing> publishing_;  // under mutex_; made with the first outlet; owned alone, as what follows
  std::shared_ptr<leaving> leaving_;        // of a route, set before anything can leave
  std::shared_ptr<history_keeper> keeper_;  // its lock comes after mutex_
  std::atomic<std::uint64_t> undeliverable_{0};
  bool wanted_ = false;
};

inline const void* any_slot::value() const noexcept {
  return topic->type().travels_inline ? payload.data() : topic->type().block_value(block());
}
inline std::size_t any_slot::weighed_bytes() const noexcept {
  return topic->type().travels_inline ? 0 : block()->bytes;
}
inline any_slot any_slot::with_references() const noexcept {
  identity.add_reference();
  if (!topic->type().travels_inline) block()->references.fetch_add(1, std::memory_order_relaxed);
  return *this;
}
inline void any_slot::drop() const noexcept {
  queue::returning_blocks only;
  drop_payload(only);
  identity.drop_reference();
}
inline void any_slot::drop_payload(queue::returning_blocks& to) const noexcept {
  if (!topic->type().travels_inline) topic->type().drop_block(block(), to);
}

}  // namespace amphibus::detail
#pragma GCC visibility pop
