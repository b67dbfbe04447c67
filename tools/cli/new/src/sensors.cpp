#include "sensors.hpp"

#include <cstdint>

#include "topics.hpp"

namespace my_project_app {

void start_sensors(amphibus::module& m) {
  m.run([&m](std::stop_token) {  // starts when every process is there and has subscribed
    auto out = m.publisher(readings);
    constexpr int count = 10;
    for (int number = 1; number <= count; ++number) {
      ReadingT now;
      now.number = static_cast<std::uint32_t>(number);
      now.celsius = 20.0F + static_cast<float>(number);
      now.last = number == count;
      out.publish(now);
    }
    m.done();
  });
}

}  // namespace my_project_app
