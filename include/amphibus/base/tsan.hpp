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
void AnnotateIgnoreReadsBegin(const char* file, int line);
void AnnotateIgnoreReadsEnd(const char* file, int line);
void AnnotateHappensBefore(const char* file, int line, const volatile void* address);
void AnnotateHappensAfter(const char* file, int line, const volatile void* address);
}
#endif

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Does nothing, except under ThreadSanitizer, which cannot see the stand-alone fences that order a queue's consumer
/// before the producer's reuse of a block: while it lives, plain accesses of this thread are not recorded; atomics
/// still are.
///
/// Put around the queue's own copying only. What the copied messages refer to is read afterwards, by the handler, and
/// its races stay visible, which a suppression of the queue's name would hide.
class tsan_unseen {
 public:
#ifdef AMPHIBUS_TSAN
  tsan_unseen() noexcept { AnnotateIgnoreReadsBegin(__FILE__, __LINE__); }
  ~tsan_unseen() { AnnotateIgnoreReadsEnd(__FILE__, __LINE__); }
#else
  tsan_unseen() noexcept {}
#endif
  tsan_unseen(const tsan_unseen&) = delete;
  tsan_unseen& operator=(const tsan_unseen&) = delete;
};

/// Tells ThreadSanitizer of a hand-over inside a library that is not instrumented: the giver says `tsan_given(p)`
/// before, the taker `tsan_taken(p)` after. Nothing otherwise.
inline void tsan_given([[maybe_unused]] const void* what) noexcept {
#ifdef AMPHIBUS_TSAN
  AnnotateHappensBefore(__FILE__, __LINE__, what);
#endif
}
inline void tsan_taken([[maybe_unused]] const void* what) noexcept {
#ifdef AMPHIBUS_TSAN
  AnnotateHappensAfter(__FILE__, __LINE__, what);
#endif
}

}  // namespace amphibus::base
#pragma GCC visibility pop
