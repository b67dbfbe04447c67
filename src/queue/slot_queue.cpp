#include <amphibus/queue/slot_queue.hpp>

#include <cstdint>
#include <new>
#include <utility>

// The program may have a copy of its own, of another version.
#define moodycamel amphibus_moodycamel
#include <concurrentqueue/concurrentqueue.h>
#undef moodycamel

#include <amphibus/base/assert.hpp>
#include <amphibus/base/tsan.hpp>
#include <amphibus/base/words.hpp>

namespace amphibus::queue {
namespace {

/// Blocks of 128 because busy inboxes gain up to 40 % over 32; no implicit producers, whose hash costs 9 KB per queue.
struct slot_traits : amphibus_moodycamel::ConcurrentQueueDefaultTraits {
  static constexpr std::size_t BLOCK_SIZE = 128;
  static constexpr std::size_t INITIAL_IMPLICIT_PRODUCER_HASH_SIZE = 0;
  static constexpr std::size_t EXPLICIT_INITIAL_INDEX_SIZE = 8;
};

using word [[gnu::may_alias]] = std::uint64_t;

/// A slot of a type that is not known here. Copied word by word into the queue, as it was written: a wider load of what
/// has just been stored in words waits for all of them. Out of it at full width.
template <std::size_t Size>
struct element {
  static constexpr std::size_t count = Size / sizeof(std::uint64_t);
  element(const element& from) noexcept { copy(from, std::make_index_sequence<count>()); }
  element& operator=(const element& from) = default;
  word words[count];

 private:
  template <std::size_t... I>
  void copy(const element& from, std::index_sequence<I...>) noexcept {
    ((words[I] = base::apart(from.words[I])), ...);
  }
};

template <std::size_t Size>
using queue_of = amphibus_moodycamel::ConcurrentQueue<element<Size>, slot_traits>;

}  // namespace

template <std::size_t Size>
struct slot_queue<Size>::state {
  queue_of<Size> queue{0};
  amphibus_moodycamel::ConsumerToken consumer{queue};
};

template <std::size_t Size>
struct slot_queue<Size>::producer::state {
  explicit state(queue_of<Size>& to) : queue(to), token(to) {
    if (!token.valid()) throw std::bad_alloc();
  }
  queue_of<Size>& queue;
  amphibus_moodycamel::ProducerToken token;
};

template <std::size_t Size>
slot_queue<Size>::slot_queue() : state_(new state) {}

template <std::size_t Size>
slot_queue<Size>::~slot_queue() {
  delete state_;
}

template <std::size_t Size>
std::size_t slot_queue<Size>::pop(void* out, std::size_t max) noexcept {
  const base::tsan_unseen copying;
  return state_->queue.try_dequeue_bulk(state_->consumer, static_cast<element<Size>*>(out), max);
}

template <std::size_t Size>
slot_queue<Size>::producer::producer(slot_queue& to) : state_(new state(to.state_->queue)) {}

template <std::size_t Size>
slot_queue<Size>::producer::~producer() {
  delete state_;
}

template <std::size_t Size>
void slot_queue<Size>::producer::push(const void* slot) noexcept {
  const bool stored = state_->queue.enqueue(state_->token, *static_cast<const element<Size>*>(slot));
  AMPHIBUS_ASSERT(stored, "out of memory for an inbox block");
}

template <std::size_t Size>
std::size_t slot_queue<Size>::producer::take_back(void* into, std::size_t max) noexcept {
  const base::tsan_unseen copying;
  return state_->queue.try_dequeue_bulk_from_producer(state_->token, static_cast<element<Size>*>(into), max);
}

template class slot_queue<8>;
template class slot_queue<16>;
template class slot_queue<24>;
template class slot_queue<32>;
template class slot_queue<40>;
template class slot_queue<48>;
template class slot_queue<56>;
template class slot_queue<64>;

}  // namespace amphibus::queue
