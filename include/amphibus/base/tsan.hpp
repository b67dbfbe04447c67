#pragma once

#if defined(__SANITIZE_THREAD__)
#define AMPHIBUS_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define AMPHIBUS_TSAN 1
#endif
#endif

#ifdef AMPHIBUS_TSAN
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace amphibus::base {

/// Empty, except under ThreadSanitizer, which cannot see stand-alone fences: as first base class of a queue slot it tells
/// the tool that the slot's reuse happens after its last reader, slot by slot. Races of payloads stay visible, which a
/// suppression of the queue's name would hide.
struct tsan_slot {
#ifdef AMPHIBUS_TSAN
  tsan_slot() noexcept { __tsan_acquire(this); }
  tsan_slot(const tsan_slot&) noexcept { __tsan_acquire(this); }
  tsan_slot& operator=(const tsan_slot&) noexcept = default;
  ~tsan_slot() { __tsan_release(this); }
#endif
};

}  // namespace amphibus::base
