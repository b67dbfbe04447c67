#include <boost/signals2.hpp>

#include "rivals/dispatch.hpp"
#include "rivals/rivals.hpp"

namespace bench {

rival boost_signals2() {
  return {"Boost.Signals2", "one signal, its default mutex: what makes it safe between threads, as ours is",
          [](const shape& of, std::size_t count) {
            std::uint64_t sum = 0;
            boost::signals2::signal<void(const message<32>&)> signal;
            for (int i = 0; i != of.subscribers; ++i) signal.connect(adder{&sum});
            const double rate = call_many(count, [&](const message<32>& m) { signal(m); });
            return sum == sum_of_share(count) * static_cast<std::uint64_t>(of.subscribers) ? rate : 0;
          },
          nullptr, 0.02};
}

}  // namespace bench
