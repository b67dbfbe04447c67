// watcher: looks at the attitude and tells when the vehicle leans over.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "modules.hpp"

namespace flight {
namespace {

// Two limits, so that an attitude that trembles around one of them raises one alert and not a hundred.
constexpr float leans_above_degrees = 15;
constexpr float upright_below_degrees = 10;

struct watch {
  explicit watch(amphibus::publisher<AlertT> to) : out(std::move(to)) {}

  amphibus::publisher<AlertT> out;
  content sum;
  std::uint32_t raised = 0;
  bool leaning = false;
};

/// Between the vehicle's own up and the world's, from its quaternion w, x, y, z.
float tilt_degrees(const std::vector<float>& q) {
  const float cosine = 1 - 2 * (q[1] * q[1] + q[2] * q[2]);
  return std::acos(std::clamp(cosine, -1.0F, 1.0F)) * 180 / std::numbers::pi_v<float>;
}

void look_at(const VehicleAttitudeT& now, watch& at) {
  if (now.q.size() != 4) return;  // not from our log: a schema does not bound a list
  const float degrees = tilt_degrees(now.q);
  const bool changed = at.leaning ? degrees < upright_below_degrees : degrees > leans_above_degrees;
  if (!changed) return;
  at.leaning = !at.leaning;
  AlertT alert;
  alert.seq = now.seq;
  alert.number = at.raised++;
  alert.log_us = now.log_us;
  alert.stamp_us = now.stamp_us;
  alert.due_ns = now.due_ns;  // so the latency of an alert is that of both hops
  alert.degrees = degrees;
  alert.leaning = at.leaning;
  at.sum.add(alert);
  at.out.publish(std::move(alert));
}

}  // namespace

void start_watcher(amphibus::module& m) {
  auto& at = m.make<watch>(m.publisher(alerts));
  m.subscribe(vehicle_attitude, [&](const VehicleAttitudeT& now) {
    if (!now.end) return look_at(now, at);
    AlertT end;
    end.number = at.raised;
    end.end = true;
    at.out.publish(std::move(end));
    print_sent(alerts.name(), at.raised, at.sum.digest());
    m.done();
  });
}

}  // namespace flight
