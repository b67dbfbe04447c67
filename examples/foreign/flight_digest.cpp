// flight_digest --config FILE --process NAME [--set KEY=VALUE]…: the topics of the flight, as reader.py should see
// them.
#include "../flight/fields.hpp"
#include "../flight/topics.hpp"

#include "digest.hpp"

namespace {

template <class T>
foreign::canonical_text text_of(const T& m) {
  foreign::canonical_text out(m.seq, m.number, m.log_us, m.stamp_us, m.due_ns, m.instance, m.end);
  flight::for_each_value(
      m, [&](const auto& value) { out.add(value); }, [&](const auto& list, std::size_t) { out.add(list); });
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  return foreign::run_digests(argc, argv, [](amphibus::bus& bus, foreign::digests& to) {
    flight::for_each_recorded(
        [&](const auto& topic) { to.follow(bus, topic, [](const auto& m) { return text_of(m); }); });
    to.follow(bus, flight::alerts, [](const auto& m) { return text_of(m); });
  });
}
