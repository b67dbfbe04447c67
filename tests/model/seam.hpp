#pragma once

// What the lock-free code is made of where the model checker runs it: <amphibus/base/atomic.hpp> includes this instead
// of <atomic>. Orders pass through weakened(), so that a planted fault can take one away from the real code, by the
// name of the function that it stands in.
#include <semaphore.h>

// Before the checker, whose macros they would not survive.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <relacy/relacy.hpp>

// The checker's macros would rewrite the code under test.
#undef memory_order_relaxed
#undef memory_order_consume
#undef memory_order_acquire
#undef memory_order_release
#undef memory_order_acq_rel
#undef memory_order_seq_cst
#undef new
#undef delete
#undef malloc
#undef calloc
#undef realloc
#undef free

namespace model {

/// A planted fault: in `function` what had `order` is relaxed.
struct weakening {
  const char* function = nullptr;
  std::memory_order order = std::memory_order_relaxed;
};
inline weakening planted_weakening;

inline rl::memory_order order_of(std::memory_order wanted, const char* function) {
  const bool weak = planted_weakening.function != nullptr && wanted == planted_weakening.order &&
                    std::strcmp(function, planted_weakening.function) == 0;
  switch (weak ? std::memory_order_relaxed : wanted) {
    case std::memory_order_relaxed: return rl::mo_relaxed;
    case std::memory_order_consume:
    case std::memory_order_acquire: return rl::mo_acquire;
    case std::memory_order_release: return rl::mo_release;
    case std::memory_order_acq_rel: return rl::mo_acq_rel;
    default: return rl::mo_seq_cst;
  }
}
/// A read-modify-write that fails only reads.
inline std::memory_order without_store(std::memory_order order) {
  if (order == std::memory_order_acq_rel) return std::memory_order_acquire;
  return order == std::memory_order_release ? std::memory_order_relaxed : order;
}

/// What the checker tracks lives until the run ends: blocks of the code under test are given back raw, and the checker
/// wants every destructor called.
class run_memory {
 public:
  template <class T>
  static T* make() {
    T* const made = new T;
    all().push_back({made, [](void* what) { delete static_cast<T*>(what); }});
    return made;
  }
  static void end() {
    for (const auto& each : all()) each.destroy(each.what);
    all().clear();
  }
  /// Before a run: one that failed has no end, and its checker is gone.
  static void begin() { all().clear(); }

 private:
  struct entry {
    void* what;
    void (*destroy)(void*);
  };
  static std::vector<entry>& all() {
    static auto& entries = *new std::vector<entry>;
    return entries;
  }
};

}  // namespace model

namespace amphibus::base {

#define MODEL_SITE \
  const char *function = __builtin_FUNCTION(), const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define MODEL_INFO rl::debug_info(function, file, static_cast<unsigned>(line))

template <class T>
class atomic {
 public:
  atomic() : atomic(T{}) {}
  atomic(T value, MODEL_SITE) { in_->store(value, rl::mo_relaxed, MODEL_INFO); }
  atomic(const atomic&) = delete;
  atomic& operator=(const atomic&) = delete;

  T load(std::memory_order order = std::memory_order_seq_cst, MODEL_SITE) const {
    return in_->load(model::order_of(order, function), MODEL_INFO);
  }
  void store(T value, std::memory_order order = std::memory_order_seq_cst, MODEL_SITE) {
    in_->store(value, model::order_of(order, function), MODEL_INFO);
  }
  T exchange(T value, std::memory_order order = std::memory_order_seq_cst, MODEL_SITE) {
    return in_->exchange(value, model::order_of(order, function), MODEL_INFO);
  }
  T fetch_add(T value, std::memory_order order = std::memory_order_seq_cst, MODEL_SITE) {
    return in_->fetch_add(value, model::order_of(order, function), MODEL_INFO);
  }
  T fetch_sub(T value, std::memory_order order = std::memory_order_seq_cst, MODEL_SITE) {
    return in_->fetch_sub(value, model::order_of(order, function), MODEL_INFO);
  }
  bool compare_exchange_weak(T& expected, T value, std::memory_order order, std::memory_order failed, MODEL_SITE) {
    return in_->compare_exchange_weak(expected, value, model::order_of(order, function), MODEL_INFO,
                                      model::order_of(failed, function), MODEL_INFO);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order order, std::memory_order failed, MODEL_SITE) {
    return in_->compare_exchange_strong(expected, value, model::order_of(order, function), MODEL_INFO,
                                        model::order_of(failed, function), MODEL_INFO);
  }
  bool compare_exchange_strong(T& expected, T value, std::memory_order order, MODEL_SITE) {
    return in_->compare_exchange_strong(expected, value, model::order_of(order, function), MODEL_INFO,
                                        model::order_of(model::without_store(order), function), MODEL_INFO);
  }

  void wait(T old, std::memory_order order, MODEL_SITE) const {
    while (in_->load(model::order_of(order, function), MODEL_INFO) == old) rl::yield(1, MODEL_INFO);
  }
  void notify_all() {}

 private:
  rl::atomic<T>* const in_ = model::run_memory::make<rl::atomic<T>>();
};

class mutex {
 public:
  void lock(MODEL_SITE) { in_->lock(MODEL_INFO); }
  void unlock(MODEL_SITE) { in_->unlock(MODEL_INFO); }

 private:
  rl::mutex* const in_ = model::run_memory::make<rl::mutex>();
};

using small_mutex = mutex;

inline void yield(MODEL_SITE) { rl::yield(1, MODEL_INFO); }

// The portable barrier, a full fence on both sides; what membarrier does no model sees (tests/proof/lock_step.cpp).
enum class barrier_mode : unsigned char { fence, membarrier };
inline void light_barrier(MODEL_SITE) {
  rl::atomic_thread_fence(model::order_of(std::memory_order_seq_cst, function), MODEL_INFO);
}
inline void compiler_barrier(MODEL_SITE) {
  rl::atomic_thread_fence(model::order_of(std::memory_order_seq_cst, function), MODEL_INFO);
}
inline void heavy_barrier(MODEL_SITE) {
  rl::atomic_thread_fence(model::order_of(std::memory_order_seq_cst, function), MODEL_INFO);
}
inline barrier_mode current_barrier_mode() { return barrier_mode::fence; }

/// Sleeps while `word` is `expected`. One bed for all words of a model: more wake-ups than a kernel's, never fewer.
struct futex_bed {
  rl::mutex lock;
  rl::condition_variable changed;
};
inline futex_bed* bed = nullptr;

inline bool futex_wait(atomic<std::uint32_t>& word, std::uint32_t expected, std::chrono::steady_clock::time_point,
                       MODEL_SITE) {
  bed->lock.lock(MODEL_INFO);
  if (word.load(std::memory_order_relaxed) == expected) bed->changed.wait(bed->lock, MODEL_INFO);
  bed->lock.unlock(MODEL_INFO);
  return true;
}
inline void futex_wake(atomic<std::uint32_t>&, MODEL_SITE) {
  bed->lock.lock(MODEL_INFO);
  bed->changed.notify_all(MODEL_INFO);
  bed->lock.unlock(MODEL_INFO);
}

}  // namespace amphibus::base
