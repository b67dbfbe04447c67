#include "fields.hpp"
#include "flight_log.hpp"

#include <catch2/catch.hpp>

#include <cmath>

using namespace flight;
using Catch::Contains;

namespace {

const std::string header = "seq,log_ts_us,ts_us,topic,instance,wire_bytes,values\n";

amphibus::result<flight_log> parse(const std::string& rows) { return parse_log(header + rows, "log.csv"); }

std::string error_of(const std::string& rows) {
  const auto got = parse(rows);
  return got ? "" : got.error().what();
}

std::string cpuload_at(const std::string& log_us) { return "0," + log_us + ",7,cpuload,0,16,0.5 0.25\n"; }

std::vector<std::string_view> names() {
  std::vector<std::string_view> out;
  for_each_recorded([&](const auto& each) { out.push_back(each.name()); });
  return out;
}

}  // namespace

TEST_CASE("parse_log: a row becomes a message of its topic", "[flight]") {
  const auto got = parse("4,112574307,112572924,vehicle_attitude,1,36,-0.25 1e-05 3 0.5 0.5 -0.5 0.5\r\n");
  REQUIRE(got.has_value());
  REQUIRE(got->size() == 1);
  CHECK(got->front().log_us == 112'574'307);
  const auto& message = std::get<VehicleAttitudeT>(got->front().message);
  CHECK(message.seq == 4);
  CHECK(message.stamp_us == 112'572'924);
  CHECK(message.instance == 1);
  CHECK(message.rollspeed == -0.25F);
  CHECK(message.pitchspeed == 1e-05F);
  CHECK(message.q == std::vector<float>{0.5F, 0.5F, -0.5F, 0.5F});
}

TEST_CASE("parse_log: integers, truths and lists keep their types", "[flight]") {
  const auto got = parse(
      "0,1,1,sensor_preflight,0,16,0.5 0.25\n1,2,1,actuator_controls_0,255,48,18446744073709551615 1 2 3 4 5 6 7 8\n");
  REQUIRE(got.has_value());
  CHECK(std::get<ActuatorControls0T>(got->back().message).timestamp_sample == ~std::uint64_t{0});
  CHECK(std::get<ActuatorControls0T>(got->back().message).control.size() == 8);
}

TEST_CASE("parse_log: minus zero is zero, as it is after a trip over the wire", "[flight]") {
  const auto got = parse("0,1,1,cpuload,0,16,-0 1\n");
  REQUIRE(got.has_value());
  CHECK_FALSE(std::signbit(std::get<CpuloadT>(got->front().message).load));
}

TEST_CASE("parse_log: what is wrong in a row is named with line and column", "[flight]") {
  CHECK_THAT(error_of(cpuload_at("1") + "1,2,3\n"), Contains("log.csv:3:1") && Contains("7 columns expected, 3 found"));
  CHECK_THAT(error_of("0,1,7,cpuload,0,16,0.5 0.25,8\n"), Contains("log.csv:2:1") && Contains("8 found"));
  CHECK_THAT(error_of("\n"), Contains("log.csv:2:1") && Contains("1 found"));
  CHECK_THAT(error_of("0,1,7,gps,0,16,0.5\n"), Contains("log.csv:2:7") && Contains("unknown topic: 'gps'"));
  CHECK_THAT(error_of("x,1,7,cpuload,0,16,0.5 0.25\n"), Contains("log.csv:2:1") && Contains("bad value: 'x'"));
  CHECK_THAT(error_of("0,-1,7,cpuload,0,16,0.5 0.25\n"), Contains("log.csv:2:3") && Contains("'-1'"));
  CHECK_THAT(error_of("0,1,,cpuload,0,16,0.5 0.25\n"), Contains("log.csv:2:5") && Contains("bad value: ''"));
  CHECK_THAT(error_of("0,1,7,cpuload,256,16,0.5 0.25\n"), Contains("log.csv:2:15") && Contains("'256'"));
  CHECK_THAT(error_of("0,1,7,cpuload,0,-,0.5 0.25\n"), Contains("log.csv:2:17"));
}

TEST_CASE("parse_log: too few, too many and bad values are refused", "[flight]") {
  CHECK_THAT(error_of("0,1,7,cpuload,0,16,0.5\n"), Contains("log.csv:2:23") && Contains("too few values"));
  CHECK_THAT(error_of("0,1,7,cpuload,0,16,0.5 0.25 1\n"), Contains("log.csv:2:29") && Contains("too many values: '1'"));
  for (const char* bad : {"", "x", "nan", "inf", "1e99", "0x1", "1,5", "--1", " 1"}) {
    CHECK_FALSE(parse("0,1,7,cpuload,0,16,0.5 " + std::string(bad) + "\n"));
  }
  CHECK(parse("0,1,7,commander_state,0,9,255\n"));
  CHECK_FALSE(parse("0,1,7,commander_state,0,9,256\n"));
  const std::string before = "0,1,7,vehicle_attitude_setpoint,0,55,0 0 0 0 1 0 0 0 0 0 1 0 0 0 0 0 ";
  CHECK(parse(before + "1\n"));
  CHECK_FALSE(parse(before + "2\n"));
}

TEST_CASE("parse_log: a clock that runs backwards or a day too far is refused", "[flight]") {
  CHECK(parse(cpuload_at("5") + cpuload_at("5")));
  CHECK_THAT(error_of(cpuload_at("5") + cpuload_at("4")), Contains("log.csv:3:1") && Contains("backwards"));
  CHECK(parse(cpuload_at("0") + cpuload_at("86400000000")));
  CHECK_THAT(error_of(cpuload_at("0") + cpuload_at("86400000001")), Contains("log.csv:3:1") && Contains("24 hours"));
  CHECK_FALSE(parse(cpuload_at("0") + cpuload_at("18446744073709551615")));
}

TEST_CASE("parse_log: another header, no rows, a long row and a missing file are refused", "[flight]") {
  CHECK_FALSE(parse_log("", "log.csv"));
  CHECK_FALSE(parse_log("seq,time\n", "log.csv"));
  CHECK_THAT(error_of(""), Contains("no rows"));
  const std::string row = "0,1,7,cpuload,0,16,";
  CHECK_THAT(error_of(row + std::string(log_row_max_bytes - row.size(), '1') + "\n"), Contains("bad value"));
  CHECK_THAT(error_of(row + std::string(log_row_max_bytes - row.size() + 1, '1') + "\n"), Contains("4096 bytes"));
  CHECK_FALSE(read_log("/nonexistent.csv"));
}

TEST_CASE("parse_log: what a stranger wrote is shown escaped and shortened", "[flight]") {
  const std::string error = error_of("0,1,7,\x1b[31m" + std::string(300, 'x') + ",0,16,1 1\n");
  CHECK_THAT(error, !Contains("\x1b") && !Contains(std::string(100, 'x')));
}

TEST_CASE("keep_first: what was written up to the length stays", "[flight]") {
  auto log = parse(cpuload_at("100") + cpuload_at("199") + cpuload_at("200") + cpuload_at("201")).value();
  keep_first(log, std::chrono::microseconds(100));
  CHECK(log.size() == 3);
  keep_first(log, std::chrono::nanoseconds(0));
  CHECK(log.size() == 1);
}

TEST_CASE("topics: fifteen of them, each below flight", "[flight]") {
  CHECK(names().size() == 15);
  for (const std::string_view each : names()) CHECK(each.starts_with("flight."));
}
