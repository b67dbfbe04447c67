#include "world.hpp"

#include <thread>

#include "letter.hpp"

namespace amphibus::testing {
namespace {

constexpr int attempts_max = 20;

config::configuration file_of(const subject& of, const world_options& options) {
  config::configuration out;
  for (std::size_t i = 0; i != options.processes; ++i) {
    config::process each;
    each.name = "p" + std::to_string(i);
    each.endpoint.value = of.make_endpoint();
    out.processes.push_back(std::move(each));
  }
  for (const char* pattern : {main_route, side_route}) {
    config::route each;
    each.topic.value = pattern;
    each.transport.value = of.make_transport()->name();
    each.overflow.value = options.overflow;
    each.block_timeout.value = options.block_timeout;
    out.routes.push_back(std::move(each));
  }
  out.message_size_max_bytes.value = options.message_size_max_bytes;
  return out;
}

}  // namespace

world::world(const subject& of, const world_options& options) {
  if (!of.joins_processes()) {
    buses_.push_back(std::make_unique<bus>());
    return;
  }
  int attempts = 0;
  while (!try_open(of, options)) AMPHIBUS_ASSERT(++attempts < attempts_max, "no endpoint of the subject is free");
}

world::~world() { close(); }

bool world::try_open(const subject& of, const world_options& options) {
  const config::configuration file = file_of(of, options);
  try {
    for (const auto& each : file.processes) {
      if (buses_.size() == options.opened) break;
      buses_.push_back(std::make_unique<bus>(file, bus_options{.name = each.name, .process = each.name},
                                             transports(of.make_transport())));
    }
  } catch (const error& why) {
    if (why.code() != error_code::endpoint_in_use) throw;
    buses_.clear();
    return false;
  }
  return true;
}

void world::make_ready() {
  std::vector<std::thread> waiting;
  std::vector<std::optional<error>> failed(buses_.size());
  for (std::size_t i = 0; i != buses_.size(); ++i) {
    waiting.emplace_back([this, i, &failed] {
      try {
        buses_[i]->wait_until_ready(patience);
      } catch (const error& why) {
        failed[i] = why;
      }
    });
  }
  for (auto& each : waiting) each.join();
  for (const auto& each : failed) {
    if (each) throw *each;
  }
}

void world::close() {
  for (const auto& each : buses_) {
    if (each) each->close(patience);
  }
}

}  // namespace amphibus::testing
