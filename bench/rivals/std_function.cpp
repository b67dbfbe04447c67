#include <functional>
#include <vector>

#include "rivals/dispatch.hpp"
#include "rivals/rivals.hpp"

namespace bench {

rival std_function() {
  return {"std::function", "a vector of them, called one after the other",
          [](const shape& of, std::size_t count) {
            std::uint64_t sum = 0;
            std::vector<std::function<void(const message<32>&)>> handlers;
            for (int i = 0; i != of.subscribers; ++i) handlers.emplace_back(adder{&sum});
            const double rate = call_many(count, [&](const message<32>& m) {
              for (const auto& each : handlers) each(m);
            });
            return sum == sum_of_share(count) * static_cast<std::uint64_t>(of.subscribers) ? rate : 0;
          },
          nullptr, 1};
}

}  // namespace bench
