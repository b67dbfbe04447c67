#pragma once

#include <flight_amphibus.h>

#include <tuple>
#include <variant>

#include <amphibus/topic.hpp>

namespace flight {

inline constexpr amphibus::topic<ActuatorControls0T> actuator_controls_0{"flight.actuator_controls_0"};
inline constexpr amphibus::topic<ActuatorOutputsT> actuator_outputs{"flight.actuator_outputs"};
inline constexpr amphibus::topic<CommanderStateT> commander_state{"flight.commander_state"};
inline constexpr amphibus::topic<ControlStateT> control_state{"flight.control_state"};
inline constexpr amphibus::topic<CpuloadT> cpuload{"flight.cpuload"};
inline constexpr amphibus::topic<Ekf2InnovationsT> ekf2_innovations{"flight.ekf2_innovations"};
inline constexpr amphibus::topic<EstimatorStatusT> estimator_status{"flight.estimator_status"};
inline constexpr amphibus::topic<SensorCombinedT> sensor_combined{"flight.sensor_combined"};
inline constexpr amphibus::topic<SensorPreflightT> sensor_preflight{"flight.sensor_preflight"};
inline constexpr amphibus::topic<TelemetryStatusT> telemetry_status{"flight.telemetry_status"};
inline constexpr amphibus::topic<VehicleAttitudeT> vehicle_attitude{"flight.vehicle_attitude"};
inline constexpr amphibus::topic<VehicleAttitudeSetpointT> vehicle_attitude_setpoint{
    "flight.vehicle_attitude_setpoint"};
inline constexpr amphibus::topic<VehicleLocalPositionT> vehicle_local_position{"flight.vehicle_local_position"};
inline constexpr amphibus::topic<VehicleRatesSetpointT> vehicle_rates_setpoint{"flight.vehicle_rates_setpoint"};
inline constexpr amphibus::topic<VehicleStatusT> vehicle_status{"flight.vehicle_status"};

/// What is recorded: the topics of a log.
inline constexpr std::tuple recorded{
    actuator_controls_0, actuator_outputs,          commander_state,        control_state,          cpuload,
    ekf2_innovations,    estimator_status,          sensor_combined,        sensor_preflight,       telemetry_status,
    vehicle_attitude,    vehicle_attitude_setpoint, vehicle_local_position, vehicle_rates_setpoint, vehicle_status};
/// One message of a log.
using reading =
    std::variant<ActuatorControls0T, ActuatorOutputsT, CommanderStateT, ControlStateT, CpuloadT, Ekf2InnovationsT,
                 EstimatorStatusT, SensorCombinedT, SensorPreflightT, TelemetryStatusT, VehicleAttitudeT,
                 VehicleAttitudeSetpointT, VehicleLocalPositionT, VehicleRatesSetpointT, VehicleStatusT>;

/// What the watcher makes of it.
inline constexpr amphibus::topic<AlertT> alerts{"flight.alerts"};

/// Calls `what(topic)` for every topic of a log.
template <class Callable>
void for_each_recorded(Callable&& what) {
  std::apply([&](const auto&... each) { (what(each), ...); }, recorded);
}

}  // namespace flight
