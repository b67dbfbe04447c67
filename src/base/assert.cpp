#include <amphibus/base/assert.hpp>

#include <cstdio>
#include <cstdlib>

namespace amphibus::base {

void assertion_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "amphibus: contract broken: %s (%s:%d)\n", what, file, line);
  std::abort();
}

}  // namespace amphibus::base
