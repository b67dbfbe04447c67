#include <sigc++/sigc++.h>

#include "rivals/dispatch.hpp"
#include "rivals/rivals.hpp"

namespace bench {

rival sigcpp() {
  return {"libsigc++", "one signal of libsigc++ 3; not safe between threads",
          [](const shape& of, std::size_t count) {
            std::uint64_t sum = 0;
            sigc::signal<void(const message<32>&)> signal;
            for (int i = 0; i != of.subscribers; ++i) signal.connect(adder{&sum});
            const double rate = call_many(count, [&](const message<32>& m) { signal.emit(m); });
            return sum == sum_of_share(count) * static_cast<std::uint64_t>(of.subscribers) ? rate : 0;
          },
          nullptr, 0.05};
}

}  // namespace bench
