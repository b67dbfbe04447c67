#pragma once

#include <memory>
#include <utility>
#include <vector>

#include <amphibus/base/least.hpp>
#include <amphibus/detail/outlet_base.hpp>
#include <amphibus/detail/senders.hpp>

#pragma GCC visibility push(default)
namespace amphibus::detail {

/// The outlet of one source to one topic of T: the publish fast path.
template <class T>
class outlet final : public outlet_base {
 public:
  using outlet_base::outlet_base;
  ~outlet() override {
    stop_listening();
    senders_.clear();
    if (blocks_ != nullptr) blocks_->retire();
  }

  /// `Value` is T, moved from if the message is accepted, or const T, copied.
  template <class Value>
  [[gnu::always_inline]] publish_status publish(Value& value, const publish_limits& limits) {
    const shortcut::way by = at_once_.look();
    if (push_at_once(by, value)) [[likely]]
      return publish_status::accepted;
    if constexpr (travels_inline<T> && !std::is_const_v<Value>) {
      T aside(std::as_const(value));  // a temporary whose address nobody takes need not be in memory
      return publish_otherwise(by, aside, limits);
    } else {
      return publish_otherwise(by, value, limits);
    }
  }
  publish_status publish(T& value, const publish_limits& limits, const publish_options& options) {
    if (options.is_default()) return publish(value, limits);
    wire::byte_writer bytes;
    offer what{.value = &value};
    if (!describe(what, options, bytes)) return publish_status::too_large;
    return publish_slowly(what, limits);
  }
  /// The loan's block becomes the message. Returns: accepted and then `block` is null; or it is untouched.
  publish_status publish_loaned(value_block<T>*& block, const publish_limits& limits) {
    offer what{.loaned = block};
    if (push_loaned_if_room(what)) return block = nullptr, publish_status::accepted;
    const publish_status answer = publish_slowly(what, limits);
    if (what.loaned == nullptr) block = nullptr;
    return answer;
  }
  /// `Element` is T, moved from what is accepted, or const T, copied.
  template <class Element>
  batch_status publish_batch(std::span<Element> values, const publish_limits& limits) {
    for (std::size_t done = 0;; ++done) {
      done += push_run(values.subspan(done));
      if (done == values.size()) return {publish_status::accepted, done};
      const publish_status one = publish_with_care(values[done], limits);
      if (one != publish_status::accepted) return {one, done};
    }
  }
  /// make_block() for a loan, which may be made while the executor of a handler places what it held.
  template <class... Arguments>
  [[nodiscard]] value_block<T>* loan_block(Arguments&&... arguments) {
    const auto held = while_held();
    return make_block(std::forward<Arguments>(arguments)...);
  }
  /// A message T(arguments…) where it will lie. Throws: what its constructor throws, std::bad_alloc.
  template <class... Arguments>
  [[nodiscard]] value_block<T>* make_block(Arguments&&... arguments) {
    if (blocks_ == nullptr) blocks_ = queue::block_pool::make(sizeof(value_block<T>), alignof(value_block<T>), budget_);
    auto* const block = static_cast<value_block<T>*>(blocks_->take());
    try {
      ::new (static_cast<void*>(block->storage)) T(std::forward<Arguments>(arguments)...);
    } catch (...) {
      queue::block_pool::give_back(block);
      throw;
    }
    return block;
  }

  /// Messages from a transport, as many as decode and fit at once. Returns: how many; the next one needs publish_one().
  [[nodiscard, gnu::noinline, gnu::flatten]] std::size_t publish_received(const wire::received_run& messages,
                                                                          const wire::codec_operations& codec) {
    if (!gate_.enter()) [[unlikely]]
      return 0;
    const queue::gate_exit leaving(gate_);
    if (seen_version_ != version_->load(std::memory_order_acquire)) return 0;  // SYNC(bus.version)
    std::size_t count = push_run_together(messages, codec);
    while (count != messages.count && push_decoded(messages[count], codec)) ++count;
    return count;
  }
  publish_status publish_one(T&& value, const wire::envelope& with) {
    offer what{.value = &value, .from = &with};
    return publish_input(what);
  }

 protected:
  [[nodiscard]] bool has_receivers() const noexcept override { return !senders_.empty() || has_other_receivers(); }

  [[nodiscard]] refusal refusing(offer& what) noexcept override {
    what.bytes = bytes_of(value_of(what));
    return refusing(what.bytes, value_of(what));
  }
  [[nodiscard]] refusal refusing_oldest_held() noexcept override {
    const T& oldest = held_values_[oldest_held_];
    return refusing(bytes_of(oldest), oldest);
  }

  void push_offered(offer& what, identity_word identity) noexcept override {
    if (what.loaned != nullptr) return push_loaned(what, identity);
    push(
        std::move(*static_cast<T*>(what.value)), [&] { return identity; }, what.bytes, &what.call);
  }

  bool adopt_egress(const std::shared_ptr<egress_inbox>& egress) override {
    if constexpr (travels_inline<T>) return senders_.adopt_egress(gate_, topic_, egress);
    return false;
  }
  void adopt(const receiver_table& table) override {
    // The bus checked the type of the topic: every mailbox of it is one of T.
    constexpr auto multicast = travels_inline<T>    ? sharing::who_throws_out_too
                               : differs_in_size<T> ? sharing::none
                                                    : sharing::who_refuses;
    senders_.adopt(gate_, table, {delivery_kind::queued}, remote_ != nullptr, multicast);
    note_multicast(senders_.multicast());
    filters_ = filters_any() || senders_.filters();
    only_together_ = senders_.together() != 0 && senders_.apart().empty() && !has_other_receivers();
    if (senders_.empty()) note_only_called();
  }

  [[nodiscard]] queue::overflow_rule strictest() const noexcept override { return senders_.strictest(strictest_any()); }

  void pass_offered_by(offer& what, identity_word identity) noexcept override {
    if (what.loaned != nullptr) destroy_block<T>(std::exchange(what.loaned, nullptr));
    pass_all_by(identity);
  }
  void pass_oldest_held_by(identity_word identity) noexcept override {
    drop_oldest_held();
    pass_all_by(identity);
  }

  void return_credit() noexcept override {
    senders_.return_credit();
    return_any_credit();
  }

  void hold_offered(offer& what) override {
    if (what.loaned == nullptr) return held_values_.push_back(std::move(*static_cast<T*>(what.value)));
    auto* const block = static_cast<value_block<T>*>(std::exchange(what.loaned, nullptr));
    held_values_.push_back(std::move(block->value()));
    destroy_block<T>(block);
  }
  void push_oldest_held(identity_word identity, inline_call& call) noexcept override {
    T& oldest = held_values_[oldest_held_];
    const std::size_t bytes = bytes_of(oldest);
    push(
        std::move(oldest), [&] { return identity; }, bytes, &call);
    drop_oldest_held();
  }
  void drop_oldest_held() noexcept override {
    if (++oldest_held_ != held_values_.size()) return;
    held_values_.clear();
    oldest_held_ = 0;
  }

 private:
  // Nearly every message's way, some forty instructions, in the caller's loop whatever the optimiser thinks of it: room
  // was found before, its number is its place in the multicast, and whatever else could be in its way takes `at_once_`
  // or the room away.
  template <class Value>
  [[nodiscard, gnu::always_inline]] bool push_at_once([[maybe_unused]] shortcut::way by,
                                                      [[maybe_unused]] Value& value) noexcept {
    if constexpr (travels_inline<T>) {
      auto* const to = multicast_at(by);
      if (to == nullptr) [[unlikely]]
        return false;
      const bool now =
          enter_shortcut() && to->push_next_if_room([&]() noexcept { return base::words<sizeof(T)>(value); });
      return leave_shortcut(*to, now);
    } else {
      return false;
    }
  }
  /// The same where the message's number does not follow from the one before.
  template <class Value>
  [[nodiscard, gnu::always_inline]] bool push_by_number([[maybe_unused]] shortcut::way by,
                                                        [[maybe_unused]] Value& value) noexcept {
    if constexpr (travels_inline<T>) {
      auto* const to = multicast_at(by);
      if (to == nullptr) return false;
      source_state& from = numbers();
      const bool now = enter_shortcut() && from.is_packed() && to->push_if_room([&]() noexcept {
        return slot<T>{from.take_packed(), base::words<sizeof(T)>(value)};
      });
      return leave_shortcut(*to, now);
    } else {
      return false;
    }
  }
  using typed_multicast = queue::multicast<slot<T>>;
  [[nodiscard, gnu::always_inline]] static typed_multicast* multicast_at(shortcut::way by) noexcept {
    return by.pushes() && current_frame == nullptr ? static_cast<typed_multicast*>(by.multicast()) : nullptr;
  }
  [[nodiscard, gnu::always_inline]] bool enter_shortcut() noexcept {
    return gate_.enter_by_membarrier() &&
           version_->load(std::memory_order_acquire) == seen_version_;  // SYNC(bus.version)
  }
  /// Entered or not. Returns: `pushed`.
  [[gnu::always_inline]] bool leave_shortcut(typed_multicast& to, bool pushed) noexcept {
    if (pushed) [[likely]] {
      base::compiler_barrier();
      if (to.may_have_sleepers()) [[unlikely]]
        senders_.wake_together();
    }
    gate_.leave();
    return pushed;
  }
  /// After a push: how the next one may go.
  void find_shortcut() noexcept {
    if constexpr (travels_inline<T>) {
      if (!only_together_ || current_frame != nullptr || !may_push_at_once()) return;
      queue::multicast<slot<T>>& to = *senders_.multicast();
      by_number_.lead_to(to);
      const identity_word next = source_.next_packed();
      if (to.next_in_sequence() != next || source_.packed_left() <= to.room_left()) return;
      step_origin_ = next.packed_before(to.position());
      source_.enter_step(*this);
      at_once_.lead_to(to);
    }
  }

  template <class Value>
  [[gnu::always_inline]] publish_status publish_otherwise(shortcut::way by, Value& value,
                                                          const publish_limits& limits) {
    return call_at_once(by, &value) ? publish_status::accepted : publish_with_care(value, limits);
  }
  template <class Value>
  [[gnu::noinline]] publish_status publish_with_care(Value& value, const publish_limits& limits) {
    const shortcut::way by = by_number_.look();
    if (by.pushes() ? push_by_number(by, value) : call_by_number(by, &value)) return publish_status::accepted;
    if (is_unwanted()) return publish_status::no_subscribers;
    if (push_if_room(value)) return publish_status::accepted;
    if constexpr (std::is_const_v<Value>) {
      T copy(value);
      offer what{.value = &copy};
      return publish_slowly(what, limits);
    } else {
      offer what{.value = &value};
      return publish_slowly(what, limits);
    }
  }

  // One out-of-line function with everything inside but the queue, which is compiled elsewhere.
  template <class Value>
  [[nodiscard, gnu::noinline, gnu::flatten]] bool push_if_room(Value& value) {
    if (held_.load(std::memory_order_acquire) != 0 || !gate_.enter()) [[unlikely]]
      return false;
    const queue::gate_exit leaving(gate_);
    // SYNC(bus.version): the table that this version names was complete before it.
    const std::size_t bytes = bytes_of(std::as_const(value));
    const bool fits =
        seen_version_ == version_->load(std::memory_order_acquire) && everywhere_has_room(bytes, std::as_const(value));
    if (fits) [[likely]] {
      push(
          static_cast<given<Value>>(value), [this] { return next_identity(); }, bytes);
      find_shortcut();
    }
    return fits;
  }
  /// As what the value is handed on: const T& or T&&.
  template <class Value>
  using given = std::conditional_t<std::is_const_v<Value>, const T&, T&&>;

  [[nodiscard]] bool push_loaned_if_room(offer& what) {
    if (held_.load(std::memory_order_acquire) != 0 || !gate_.enter()) return false;
    what.bytes = bytes_of(value_of(what));
    const bool fits =
        seen_version_ == version_->load(std::memory_order_acquire) && everywhere_has_room(what.bytes, value_of(what));
    if (fits) push_loaned(what, next_identity());
    gate_.leave();
    return fits;
  }

  void push_loaned([[maybe_unused]] offer& what, [[maybe_unused]] identity_word identity) noexcept {
    if constexpr (!travels_inline<T>) {  // the others are published by value
      auto* const block = static_cast<value_block<T>*>(std::exchange(what.loaned, nullptr));
      spend_memory(block->bytes = what.bytes);
      push_all(identity, nullptr, block, &what.call);
    }
  }

  /// As many as fit at once. Returns: how many.
  template <class Element>
  [[nodiscard, gnu::noinline, gnu::flatten]] std::size_t push_run(std::span<Element> values) {
    if (held_.load(std::memory_order_acquire) != 0 || !gate_.enter()) [[unlikely]]
      return 0;
    const queue::gate_exit leaving(gate_);
    std::size_t count = 0;
    if (seen_version_ == version_->load(std::memory_order_acquire)) {  // SYNC(bus.version)
      count = push_plain_run(values);
      while (count != values.size()) {
        const std::size_t bytes = bytes_of(std::as_const(values[count]));
        if (!everywhere_has_room(bytes, std::as_const(values[count]))) break;
        push(
            static_cast<given<Element>>(values[count]), [this] { return next_identity(); }, bytes);
        ++count;
      }
      find_shortcut();
    }
    return count;
  }

  /// As far as nobody but those who are reached together wants them, and nothing has to be known of a message but its
  /// number.
  template <class Element>
  std::size_t push_plain_run([[maybe_unused]] std::span<Element> values) noexcept {
    std::size_t count = 0;
    if constexpr (travels_inline<T>) {
      if (!only_together_ || current_frame != nullptr || source_.index() == 0) return 0;
      source_state& by = numbers();
      const identity_word first = by.next_packed();
      const std::size_t most = base::least<std::uint64_t>(values.size(), by.packed_left());
      while (count != most && senders_.full_together() == nullptr) {
        count += senders_.push_run_together(most - count, [&, from = count](std::size_t i, slot<T>& into) {
          into = {first.packed_after(from + i), base::words<sizeof(T)>(values[from + i])};
          return true;
        });
      }
      by.skip_packed(count);
      if (count != 0) senders_.announce_together();
    }
    return count;
  }

  /// By the codec that is visible here, where that is the topic's: without a call through a pointer.
  static bool decode_received(std::span<const std::byte> bytes, wire::shared_buffer* owner,
                              const wire::codec_operations& codec, T& into) {
    if constexpr (has_codec<T>) {
      if (&codec == &wire::codec_operations_of<T> && codec.decode_owned == nullptr) {
        return wire::contained([&] { return amphibus::codec<T>::decode(bytes, into); });
      }
    }
    return codec.decode_received(bytes, owner, &into);
  }

  /// As far as the messages are ordinary, and go to nobody but those who are reached together.
  std::size_t push_run_together([[maybe_unused]] const wire::received_run& messages,
                                [[maybe_unused]] const wire::codec_operations& codec) {
    std::size_t count = 0;
    if constexpr (travels_inline<T>) {
      const wire::received_message& head = messages.head;
      if (!only_together_ || !head.first || head.with.lost_before != 0) return 0;
      const identity_word first = input_identity(head.with, true);
      if (!first.is_packed()) return first.drop_reference(), 0;
      const std::size_t most = base::least(messages.count, identity_word::sequence_max - first.sequence() + 1);
      bool decodes = true;
      while (decodes && count != most && senders_.full_together() == nullptr) {
        count += senders_.push_run_together(most - count, [&, from = count](std::size_t i, slot<T>& into) {
          T value{};
          decodes = decode_received(messages.payload(from + i), head.owner, codec, value);
          into = {first.packed_after(from + i), base::words<sizeof(T)>(value)};
          return decodes;
        });
      }
      senders_.announce_together();
    }
    return count;
  }

  /// Where somebody filters, or the sizes differ, it has to be decoded to know whether there is room for it.
  bool push_decoded(const wire::received_message& from, const wire::codec_operations& codec) {
    const auto name = [&] { return input_identity(from.with, from.first && from.with.lost_before == 0); };
    if constexpr (travels_inline<T>) {
      T value{};
      if (!filters_ && !everywhere_has_room(0, value)) return false;
      if (!decode_received(from.payload, from.owner, codec, value)) return false;
      if (filters_ && !everywhere_has_room(0, value)) return false;
      push(std::move(value), name, 0);
    } else {
      if (only_together_ && senders_.full_together() != nullptr) return false;
      value_block<T>* const block = make_block();  // decoded where it will lie
      const bool decoded = decode_received(from.payload, from.owner, codec, block->value());
      block->bytes = decoded ? bytes_of(block->value()) : 0;
      if (!decoded || !everywhere_has_room(block->bytes, block->value())) return destroy_block<T>(block), false;
      spend_memory(block->bytes);
      push_all(name(), nullptr, block, nullptr);
    }
    return true;
  }

  [[nodiscard]] static const T& value_of(const offer& what) noexcept {
    return what.loaned == nullptr ? *static_cast<T*>(what.value) : static_cast<value_block<T>*>(what.loaned)->value();
  }

  /// What a message of so many bytes takes in a typed inbox, whose capacity is chosen by the size where all have one.
  [[nodiscard]] static std::int64_t places_in(queue::sender<slot<T>>& to, [[maybe_unused]] std::size_t bytes) noexcept {
    if constexpr (differs_in_size<T>) {
      return to.to().places_for(bytes);
    } else {
      return 1;
    }
  }

  [[nodiscard]] bool everywhere_has_room(std::size_t bytes, const T& message) noexcept {
    if (only_together_) [[likely]] {
      return senders_.full_together() == nullptr && (travels_inline<T> || reserve_memory(bytes));
    }
    // What is called waits for the slow path's end, and what is retained is kept in order there.
    return !inlines_ && keeper_ == nullptr && has_receivers() && !refusing(bytes, message);
  }

  [[nodiscard]] refusal refusing(std::size_t bytes, const T& message) noexcept {
    if (auto* const full = senders_.full_together()) return {full, 1, full->overflow()};
    for (const auto& each : senders_.apart()) {
      if (!is_wanted(*each, &message)) continue;
      const std::int64_t places = places_in(*each, bytes);
      if (each->refuses && !each->has_room(places)) return {&each->to(), places, each->to().overflow()};
    }
    if (const refusal by = refusing_any(bytes, &message)) return by;
    return travels_inline<T> || reserve_memory(bytes) ? refusal{} : no_memory_for(bytes);
  }

  /// `value`: T&& or const T&. `name()` is asked for the identity once nothing can throw any more. `call`: where there
  /// may be inline subscriptions, what is left to do for them.
  template <class Value, class Name>
  void push(Value&& value, const Name& name, [[maybe_unused]] std::size_t bytes, inline_call* call = nullptr) {
    if constexpr (travels_inline<T>) {
      push_all(name(), value, nullptr, call);
    } else {
      value_block<T>* const block = make_block(std::forward<Value>(value));
      spend_memory(block->bytes = bytes);
      push_all(name(), nullptr, block, call);
    }
  }

  /// `payload` is the value itself or null, `block` the shared block or null; consumes one reference of both.
  template <class Payload>
  void push_all(identity_word identity, const Payload& payload, value_block<T>* block, inline_call* call) noexcept {
    const std::uint32_t readers = senders_.together();
    if (only_together_) [[likely]] {
      // They share what nobody else has seen. An atomic addition would wait until all of a large copy is in the cache.
      if (block != nullptr && readers != 1) block->references.store(readers, std::memory_order_relaxed);
      identity.add_references(readers - 1);
      return push_together(identity, payload, block);
    }
    if (readers == 0) count_published();  // else the multicast counts
    const std::size_t bytes = block != nullptr ? block->bytes : 0;
    for (const auto& each : senders_.apart()) {
      if (!each->wanted) [[unlikely]] {
        count_filtered(*each);
        continue;
      }
      const std::int64_t places = places_in(*each, bytes);
      if (!each->has_room(places) && !make_room(*each, identity, places)) [[unlikely]] {
        continue;
      }
      identity_word own = identity;
      own.add_reference();
      if (each->lost_since_push != 0) [[unlikely]]
        own = tell_loss(*each, own);
      if constexpr (travels_inline<T>) {
        put(*each, slot<T>{own, base::words<sizeof(T)>(payload)}, places);
      } else {
        block->references.fetch_add(1, std::memory_order_relaxed);
        put(*each, slot<T>{own, block}, places);
      }
    }
    if (has_other_receivers()) push_any(any_of(identity, payload, block), bytes, call);
    // Last, so that who sees it handled finds it counted wherever it passed by.
    if (readers == 0) {
      identity.drop_reference();
      if (block != nullptr) drop_block<T>(block);
      return;
    }
    identity.add_references(readers - 1);
    if (block != nullptr && readers != 1) block->references.fetch_add(readers - 1, std::memory_order_relaxed);
    push_together(identity, payload, block);
  }

  /// To those who are reached together, with a reference for each of them.
  template <class Payload>
  void push_together(identity_word identity, [[maybe_unused]] const Payload& payload,
                     [[maybe_unused]] value_block<T>* block) noexcept {
    if constexpr (travels_inline<T>) {
      senders_.push_together(slot<T>{identity, base::words<sizeof(T)>(payload)});
    } else {
      senders_.push_together(slot<T>{identity, block});
    }
  }

  void pass_all_by(identity_word message) noexcept {
    count_published();
    for (const auto& each : senders_.apart()) {
      if (each->wanted) static_cast<mailbox<slot<T>>&>(each->to()).pass_by_for_memory(*each, message);
    }
    pass_any_by(message);
    message.drop_reference();
  }

  /// The message as a slot of any type, borrowed: without references of its own.
  template <class Payload>
  any_slot any_of(identity_word identity, [[maybe_unused]] const Payload& payload,
                  [[maybe_unused]] value_block<T>* block) noexcept {
    if constexpr (travels_inline<T>) {
      return {identity, &topic_, base::words<inline_size_max_bytes>(payload)};
    } else {
      const auto shared = reinterpret_cast<std::uintptr_t>(static_cast<queue::block_header*>(block));
      return {identity, &topic_, base::words<inline_size_max_bytes>(shared)};
    }
  }

  sender_list<slot<T>> senders_;
  bool only_together_ = false;  // nobody but who is reached together
  bool filters_ = false;        // somebody does not take everything
  queue::block_pool* blocks_ = nullptr;
  std::vector<T> held_values_;  // from oldest_held_ on
  std::size_t oldest_held_ = 0;
};

/// Decodes and delivers to local subscriptions only.
template <class T>
class typed_input final : public remote_input {
 public:
  typed_input(bus_core& core, topic_core& of, const wire::codec_operations& codec, queue::space_listener& to_wake)
      : codec_(codec), outlet_(std::make_shared<outlet<T>>(core, of, nullptr, &to_wake)) {}

  input_progress deliver(const wire::received_run& messages) override {
    for (std::size_t done = 0;; ++done) {
      if (done != messages.count) done += outlet_->publish_received(messages.without(done), codec_);
      if (done == messages.count) return {done, input_result::delivered};
      const input_result one = deliver_one(messages[done]);
      if (one != input_result::delivered) return {done, one};
    }
  }

 private:
  input_result deliver_one(const wire::received_message& message) {
    T value{};
    if (!codec_.decode_received(message.payload, message.owner, &value)) return input_result::undecodable;
    switch (outlet_->publish_one(std::move(value), message.with)) {
      case publish_status::would_block: return input_result::full;
      case publish_status::accepted: return input_result::delivered;
      default: return input_result::no_subscriber;
    }
  }

  const wire::codec_operations& codec_;
  std::shared_ptr<outlet<T>> outlet_;
};

/// The compiler's name of T, e.g. `order_placed`.
template <class T>
constexpr std::string_view type_name() noexcept {
  std::string_view name = __PRETTY_FUNCTION__;
  const auto begin = name.find("T = ") + 4;
  return name.substr(begin, name.find_first_of(";]", begin) - begin);
}

template <class T>
std::shared_ptr<remote_input> make_typed_input([[maybe_unused]] bus_core& core, [[maybe_unused]] topic_core& of,
                                               [[maybe_unused]] const wire::codec_operations& codec,
                                               [[maybe_unused]] queue::space_listener& to_wake) {
  if constexpr (std::is_default_constructible_v<T>) {
    return std::make_shared<typed_input<T>>(core, of, codec, to_wake);
  } else {
    return nullptr;  // has_codec demands a default constructor, so nobody gets here with a codec
  }
}

/// One object per type and program at best: compare with same_type().
template <class T>
inline constexpr type_operations type_operations_of{
    type_name<T>(),
    travels_inline<T>,
    [](queue::block_header* block) noexcept -> const void* { return &static_cast<value_block<T>*>(block)->value(); },
    [](queue::block_header* block, queue::returning_blocks& to) noexcept { drop_block<T>(block, to); },
    &make_typed_input<T>,
#ifdef __cpp_rtti
    &typeid(T)
#else
    nullptr
#endif
};

}  // namespace amphibus::detail
#pragma GCC visibility pop
