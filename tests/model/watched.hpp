#pragma once

#include <cstdlib>
#include <map>
#include <new>
#include <utility>
#include <vector>

#include "seam.hpp"

namespace model {

/// Lets the checker see every write and read of plain memory, address by address, also where the code under test uses
/// the same memory again.
class watched_memory {
 public:
  static void wrote(const void* address) { (*cell(address))($) = 1; }
  static void read(const void* address) {
    const int seen = (*cell(address))($);
    static_cast<void>(seen);
  }
  /// Before each run.
  static void begin() { cells().clear(); }

 private:
  static std::map<const void*, rl::var<int>*>& cells() {
    static auto& all = *new std::map<const void*, rl::var<int>*>;
    return all;
  }
  static rl::var<int>* cell(const void* address) {
    auto& found = cells()[address];
    if (found == nullptr) found = run_memory::make<rl::var<int>>();
    return found;
  }
};

/// Aligned memory, which the code under test has its blocks of, is not used again within a run: what the system's
/// allocator orders between threads the checker does not see.
class quarantine {
 public:
  static void* take(std::size_t size, std::size_t alignment) {
    return std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  }
  static void give_back(void* memory) noexcept { freed().push_back(memory); }
  /// After each run.
  static void end() noexcept {
    for (void* const each : freed()) (std::free)(each);
    freed().clear();
  }

 private:
  static std::vector<void*>& freed() {
    static auto& all = *new std::vector<void*>;
    return all;
  }
};

/// Something that a run makes and ends; a run that failed leaves it behind.
template <class T>
class of_run {
 public:
  template <class... Arguments>
  T& make(Arguments&&... arguments) {
    return *(made_ = new T(std::forward<Arguments>(arguments)...));
  }
  void end() { delete std::exchange(made_, nullptr); }
  T& operator*() const { return *made_; }
  T* operator->() const { return made_; }

 private:
  T* made_ = nullptr;
};

/// First in before(), and last in after().
inline void begin_run() {
  run_memory::begin();
  watched_memory::begin();
}
inline void end_run() {
  run_memory::end();
  quarantine::end();
}

/// A slot whose memory is watched.
struct alignas(8) watched_slot {
  int number = 0;
  explicit watched_slot(int which) : number(which) {}
  watched_slot(const watched_slot& from) : number(from.number) { watched_memory::wrote(this); }
  watched_slot& operator=(const watched_slot& from) {
    number = from.get();
    return *this;
  }
  [[nodiscard]] int get() const {
    watched_memory::read(this);
    return number;
  }
};

}  // namespace model

void* operator new(std::size_t size, std::align_val_t alignment) {
  return model::quarantine::take(size, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory, std::align_val_t) noexcept { model::quarantine::give_back(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { model::quarantine::give_back(memory); }
