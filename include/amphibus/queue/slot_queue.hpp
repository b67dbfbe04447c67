#pragma once

#include <cstddef>

#pragma GCC visibility push(default)
namespace amphibus::queue {

/// moodycamel's queue of slots of `Size` bytes, compiled once for each size in the library, so that nobody else
/// compiles it; a call per message is what that costs (docs/adr/0027).
///
/// Slots are copied by their bytes and 8-aligned; `Size` is a multiple of 8, at most 64. FIFO per producer. Thread: a
/// producer belongs to one thread at a time, and so does the consumer's side.
template <std::size_t Size>
class slot_queue {
 public:
  /// Throws: std::bad_alloc.
  slot_queue();
  ~slot_queue();
  slot_queue(const slot_queue&) = delete;
  slot_queue& operator=(const slot_queue&) = delete;

  /// Consumer: moves up to `max` slots to `out`. Returns: how many.
  std::size_t pop(void* out, std::size_t max) noexcept;

  /// One producer's side. Lifetime: not beyond the queue.
  class producer {
   public:
    /// Throws: std::bad_alloc.
    explicit producer(slot_queue& to);
    ~producer();
    producer(const producer&) = delete;
    producer& operator=(const producer&) = delete;

    /// Out of memory ends the program.
    void push(const void* slot) noexcept;
    /// Takes back its own oldest slots that wait in the queue, at most `max`. Returns: how many.
    std::size_t take_back(void* into, std::size_t max) noexcept;

   private:
    struct state;
    state* const state_;  // owned; a unique_ptr for each size would cost every includer a tenth
  };

 private:
  struct state;
  state* const state_;  // owned
};

extern template class slot_queue<8>;
extern template class slot_queue<16>;
extern template class slot_queue<24>;
extern template class slot_queue<32>;
extern template class slot_queue<40>;
extern template class slot_queue<48>;
extern template class slot_queue<56>;
extern template class slot_queue<64>;

}  // namespace amphibus::queue
#pragma GCC visibility pop
