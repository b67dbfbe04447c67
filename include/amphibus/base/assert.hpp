#pragma once

#pragma GCC visibility push(default)
namespace amphibus::base {

/// Ends the process after handing `what` to stderr: the caller broke a contract and no state can be trusted.
[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

}  // namespace amphibus::base

/// Checks a contract of the caller; always on, in every build type. Bugs end here, outside input never does.
#define AMPHIBUS_ASSERT(condition, what) \
  (static_cast<bool>(condition) ? void(0) : ::amphibus::base::assertion_failed(what, __FILE__, __LINE__))
#pragma GCC visibility pop
