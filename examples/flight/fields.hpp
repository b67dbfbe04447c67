#pragma once

#include <cstddef>
#include <tuple>
#include <type_traits>
#include <vector>

#include "topics.hpp"

/// The values of each message as a list, for everybody who treats all topics alike: the reader of the log, the digest.
namespace flight {

/// A list and how many elements it has.
template <class Message>
struct list {
  std::vector<float> Message::*member;
  std::size_t size;
};
template <class Message>
list(std::vector<float> Message::*, int) -> list<Message>;

/// `fields_of<T>::value`: members in the order of the log, which is that of the schema.
template <class T>
struct fields_of;

template <>
struct fields_of<ActuatorControls0T> {
  using T = ActuatorControls0T;
  static constexpr std::tuple value{&T::timestamp_sample, list{&T::control, 8}};
};

template <>
struct fields_of<ActuatorOutputsT> {
  using T = ActuatorOutputsT;
  static constexpr std::tuple value{&T::noutputs, list{&T::output, 16}};
};

template <>
struct fields_of<CommanderStateT> {
  using T = CommanderStateT;
  static constexpr std::tuple value{&T::main_state};
};

template <>
struct fields_of<ControlStateT> {
  using T = ControlStateT;
  static constexpr std::tuple value{&T::x_acc,
                                    &T::y_acc,
                                    &T::z_acc,
                                    &T::x_vel,
                                    &T::y_vel,
                                    &T::z_vel,
                                    &T::x_pos,
                                    &T::y_pos,
                                    &T::z_pos,
                                    &T::airspeed,
                                    list{&T::vel_variance, 3},
                                    list{&T::pos_variance, 3},
                                    list{&T::q, 4},
                                    list{&T::delta_q_reset, 4},
                                    &T::roll_rate,
                                    &T::pitch_rate,
                                    &T::yaw_rate,
                                    &T::horz_acc_mag,
                                    &T::airspeed_valid,
                                    &T::quat_reset_counter};
};

template <>
struct fields_of<CpuloadT> {
  using T = CpuloadT;
  static constexpr std::tuple value{&T::load, &T::ram_usage};
};

template <>
struct fields_of<Ekf2InnovationsT> {
  using T = Ekf2InnovationsT;
  static constexpr std::tuple value{list{&T::vel_pos_innov, 6},
                                    list{&T::mag_innov, 3},
                                    &T::heading_innov,
                                    &T::airspeed_innov,
                                    &T::beta_innov,
                                    list{&T::flow_innov, 2},
                                    &T::hagl_innov,
                                    list{&T::vel_pos_innov_var, 6},
                                    list{&T::mag_innov_var, 3},
                                    &T::heading_innov_var,
                                    &T::airspeed_innov_var,
                                    &T::beta_innov_var,
                                    list{&T::flow_innov_var, 2},
                                    &T::hagl_innov_var,
                                    list{&T::output_tracking_error, 3}};
};

template <>
struct fields_of<EstimatorStatusT> {
  using T = EstimatorStatusT;
  static constexpr std::tuple value{
      list{&T::states, 32},      &T::n_states,           list{&T::vibe, 3},      list{&T::covariances, 28},
      &T::pos_horiz_accuracy,    &T::pos_vert_accuracy,  &T::mag_test_ratio,     &T::vel_test_ratio,
      &T::pos_test_ratio,        &T::hgt_test_ratio,     &T::tas_test_ratio,     &T::hagl_test_ratio,
      &T::gps_check_fail_flags,  &T::control_mode_flags, &T::filter_fault_flags, &T::innovation_check_flags,
      &T::solution_status_flags, &T::nan_flags,          &T::health_flags,       &T::timeout_flags};
};

template <>
struct fields_of<SensorCombinedT> {
  using T = SensorCombinedT;
  static constexpr std::tuple value{list{&T::gyro_rad, 3},
                                    &T::gyro_integral_dt,
                                    &T::accelerometer_timestamp_relative,
                                    list{&T::accelerometer_m_s2, 3},
                                    &T::accelerometer_integral_dt,
                                    &T::magnetometer_timestamp_relative,
                                    list{&T::magnetometer_ga, 3},
                                    &T::baro_timestamp_relative,
                                    &T::baro_alt_meter,
                                    &T::baro_temp_celcius};
};

template <>
struct fields_of<SensorPreflightT> {
  using T = SensorPreflightT;
  static constexpr std::tuple value{&T::accel_inconsistency_m_s_s, &T::gyro_inconsistency_rad_s};
};

template <>
struct fields_of<TelemetryStatusT> {
  using T = TelemetryStatusT;
  static constexpr std::tuple value{&T::heartbeat_time, &T::telem_time, &T::rxerrors,    &T::fixed,
                                    &T::type,           &T::rssi,       &T::remote_rssi, &T::noise,
                                    &T::remote_noise,   &T::txbuf,      &T::system_id,   &T::component_id};
};

template <>
struct fields_of<VehicleAttitudeT> {
  using T = VehicleAttitudeT;
  static constexpr std::tuple value{&T::rollspeed, &T::pitchspeed, &T::yawspeed, list{&T::q, 4}};
};

template <>
struct fields_of<VehicleAttitudeSetpointT> {
  using T = VehicleAttitudeSetpointT;
  static constexpr std::tuple value{&T::roll_body,
                                    &T::pitch_body,
                                    &T::yaw_body,
                                    &T::yaw_sp_move_rate,
                                    list{&T::q_d, 4},
                                    &T::thrust,
                                    &T::landing_gear,
                                    &T::q_d_valid,
                                    &T::roll_reset_integral,
                                    &T::pitch_reset_integral,
                                    &T::yaw_reset_integral,
                                    &T::fw_control_yaw,
                                    &T::disable_mc_yaw_control,
                                    &T::apply_flaps};
};

template <>
struct fields_of<VehicleLocalPositionT> {
  using T = VehicleLocalPositionT;
  static constexpr std::tuple value{&T::ref_timestamp,
                                    &T::ref_lat,
                                    &T::ref_lon,
                                    &T::surface_bottom_timestamp,
                                    &T::x,
                                    &T::y,
                                    &T::z,
                                    list{&T::delta_xy, 2},
                                    &T::delta_z,
                                    &T::vx,
                                    &T::vy,
                                    &T::vz,
                                    list{&T::delta_vxy, 2},
                                    &T::delta_vz,
                                    &T::yaw,
                                    &T::ref_alt,
                                    &T::dist_bottom,
                                    &T::dist_bottom_rate,
                                    &T::eph,
                                    &T::epv,
                                    &T::xy_valid,
                                    &T::z_valid,
                                    &T::v_xy_valid,
                                    &T::v_z_valid,
                                    &T::xy_reset_counter,
                                    &T::z_reset_counter,
                                    &T::vxy_reset_counter,
                                    &T::vz_reset_counter,
                                    &T::xy_global,
                                    &T::z_global,
                                    &T::dist_bottom_valid};
};

template <>
struct fields_of<VehicleRatesSetpointT> {
  using T = VehicleRatesSetpointT;
  static constexpr std::tuple value{&T::roll, &T::pitch, &T::yaw, &T::thrust};
};

template <>
struct fields_of<VehicleStatusT> {
  using T = VehicleStatusT;
  static constexpr std::tuple value{&T::system_id,
                                    &T::component_id,
                                    &T::onboard_control_sensors_present,
                                    &T::onboard_control_sensors_enabled,
                                    &T::onboard_control_sensors_health,
                                    &T::nav_state,
                                    &T::arming_state,
                                    &T::hil_state,
                                    &T::failsafe,
                                    &T::system_type,
                                    &T::is_rotary_wing,
                                    &T::is_vtol,
                                    &T::vtol_fw_permanent_stab,
                                    &T::in_transition_mode,
                                    &T::in_transition_to_fw,
                                    &T::rc_signal_lost,
                                    &T::rc_input_mode,
                                    &T::data_link_lost,
                                    &T::data_link_lost_counter,
                                    &T::engine_failure,
                                    &T::engine_failure_cmd,
                                    &T::mission_failure};
};

template <>
struct fields_of<AlertT> {
  using T = AlertT;
  static constexpr std::tuple value{&T::degrees, &T::leaning};
};

/// Calls `on_value(value)` or `on_list(values, size)` with everything that `message` says, in the order of the log.
template <class Message, class OnValue, class OnList>
void for_each_value(Message& message, const OnValue& on_value, const OnList& on_list) {
  const auto one = [&](const auto& member) {
    if constexpr (requires { member.size; }) {
      on_list(message.*member.member, member.size);
    } else {
      on_value(message.*member);
    }
  };
  std::apply([&](const auto&... each) { (one(each), ...); }, fields_of<std::remove_const_t<Message>>::value);
}

}  // namespace flight
