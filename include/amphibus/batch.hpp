#pragma once

#include <cstddef>
#include <iterator>

#include <amphibus/context.hpp>
#include <amphibus/detail/topic_core.hpp>
#include <amphibus/queue/slot_run.hpp>

#pragma GCC visibility push(default)
namespace amphibus {

/// Several messages at once, in order: the third form of a handler, `(amphibus::batch<T>)`.
///
/// ```cpp
/// long sum = 0;
/// auto sub = bus.subscribe(orders, [&](amphibus::batch<order_placed> all) {
///   for (const auto& each : all) sum += each.pence;
/// });
/// ```
/// A range of `const T&`; between 1 and 256 messages, whatever was waiting. Use it where the cost per call matters,
/// e.g. one write for many messages. What the handler publishes is caused by the message it looked at last: the first,
/// until it looks; [], what an iterator shows and context() look. An exception fails the batch as a whole: one failed
/// call. Thread: confined to the handler call. Lifetime: the handler call; a copy is the same view.
template <class T>
class batch {
 public:
  class iterator {
   public:
    using iterator_category = std::random_access_iterator_tag;
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using pointer = const T*;
    using reference = const T&;

    iterator() = default;
    reference operator*() const { return (*of_)[at_]; }
    pointer operator->() const { return &**this; }
    reference operator[](difference_type by) const { return *(*this + by); }
    iterator& operator++() { return ++at_, *this; }
    iterator operator++(int) { return {of_, at_++}; }
    iterator& operator--() { return --at_, *this; }
    iterator operator--(int) { return {of_, at_--}; }
    iterator& operator+=(difference_type by) {
      at_ += static_cast<std::size_t>(by);
      return *this;
    }
    iterator& operator-=(difference_type by) { return *this += -by; }
    friend iterator operator+(iterator from, difference_type by) { return from += by; }
    friend iterator operator+(difference_type by, iterator from) { return from += by; }
    friend iterator operator-(iterator from, difference_type by) { return from -= by; }
    friend difference_type operator-(const iterator& a, const iterator& b) {
      return static_cast<difference_type>(a.at_) - static_cast<difference_type>(b.at_);
    }
    friend bool operator==(const iterator& a, const iterator& b) { return a.at_ == b.at_; }
    friend auto operator<=>(const iterator& a, const iterator& b) { return a.at_ <=> b.at_; }

   private:
    friend class batch;
    iterator(const batch* of, std::size_t at) : of_(of), at_(at) {}
    const batch* of_ = nullptr;
    std::size_t at_ = 0;
  };

  /// 1 to 256, so never empty().
  [[nodiscard]] std::size_t size() const noexcept { return typed_.count; }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  [[nodiscard]] iterator begin() const noexcept { return {this, 0}; }
  [[nodiscard]] iterator end() const noexcept { return {this, size()}; }
  /// Looks at a message: what is published next is caused by it. Precondition: `at` < size().
  [[nodiscard]] const T& operator[](std::size_t at) const noexcept {
    if (any_ == nullptr) [[likely]] {
      frame_->message = typed_.identity(at);
      return detail::slot<T>::value_in(typed_.payload(at));
    }
    look_at(at);
    return *static_cast<const T*>(any_[at].value());
  }
  /// The context of one message, which it looks at too. Precondition: `at` < size(). Lifetime: the handler call.
  [[nodiscard]] amphibus::context context(std::size_t at) const noexcept {
    if (any_ == nullptr) {
      frame_->message = typed_.identity(at);
      return {frame_->bus, frame_->topic, amphibus::context::lasting{frame_->message}};
    }
    look_at(at);
    return {frame_->bus, any_[at].topic, any_[at].identity};
  }

  /// For the library only.
  batch(const queue::slot_run<detail::slot<T>>& messages, detail::frame& here) noexcept
      : typed_(messages), frame_(&here) {}
  batch(const queue::slot_run<detail::any_slot>& messages, detail::frame& here) noexcept
      : any_(messages.slots()), frame_(&here) {
    typed_.count = messages.count;
  }

 private:
  void look_at(std::size_t at) const noexcept {
    frame_->message = any_[at].identity;
    frame_->topic = any_[at].topic;
  }

  queue::slot_run<detail::slot<T>> typed_;  // its count also where they are of any type
  const detail::any_slot* any_ = nullptr;
  detail::frame* frame_;
};

}  // namespace amphibus
#pragma GCC visibility pop
