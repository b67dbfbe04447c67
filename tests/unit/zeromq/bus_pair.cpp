#include "bus_pair.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "support/folder.hpp"

namespace zeromq_test {

placed_bus::placed_bus(const amphibus::config::configuration& file, const std::string& process,
                       const amphibus::zeromq::options& with)
    : bus({.name = process}) {
  bus.on_event([this](const amphibus::event& what) { changes_.change([&] { events_.push_back(what); }); });
  transports_.push_back(amphibus::zeromq::transport(with));
  placement_ = std::make_shared<amphibus::detail::placement>(*bus.core(), file, process, transports_);
  bus.core()->set_links(placement_);
}

placed_bus::~placed_bus() {
  bus.close(std::chrono::seconds(2));
  placement_.reset();
}

std::optional<amphibus::error> placed_bus::wait_until_ready(std::chrono::nanoseconds limit) {
  return placement_->wait_until_ready(amphibus::base::steady_clock().now() + limit);
}

amphibus::event placed_bus::wait_for(amphibus::event_kind kind) {
  const auto find = [&] {
    return std::find_if(events_.begin(), events_.end(), [&](auto& each) { return each.kind == kind; });
  };
  amphibus::event out;
  changes_.wait([&] {
    const bool there = find() != events_.end();
    if (there) out = *find();
    return there;
  });
  return out;
}

std::size_t placed_bus::count_of(amphibus::event_kind kind) {
  std::size_t count = 0;
  changes_.change([&] {
    count = static_cast<std::size_t>(
        std::count_if(events_.begin(), events_.end(), [&](auto& each) { return each.kind == kind; }));
  });
  return count;
}

std::uint64_t placed_bus::sum_of(amphibus::event_kind kind) {
  std::uint64_t sum = 0;
  changes_.change([&] {
    for (const auto& each : events_) sum += each.kind == kind ? each.count : 0;
  });
  return sum;
}

amphibus::config::configuration file_of(std::size_t processes, amphibus::config::overflow overflow) {
  static std::atomic<int> next{0};
  const auto directory = support::folder_of_process() / std::to_string(next.fetch_add(1));
  std::filesystem::create_directories(directory);
  amphibus::config::configuration out;
  for (std::size_t i = 0; i != processes; ++i) {
    amphibus::config::process each;
    each.name = std::string(1, static_cast<char>('a' + i));
    each.endpoint.value = "ipc://" + (directory / each.name).string();
    out.processes.push_back(each);
  }
  amphibus::config::route all;
  all.topic.value = "test.>";
  all.transport.value = "zeromq";
  all.overflow.value = overflow;
  out.routes.push_back(all);
  return out;
}

void make_ready(const std::vector<placed_bus*>& all) {
  for (placed_bus* each : all) each->open();
  std::vector<std::thread> waiting;
  std::atomic<int> ready{0};
  for (placed_bus* each : all) waiting.emplace_back([&ready, each] { ready += each->wait_until_ready() ? 0 : 1; });
  for (auto& each : waiting) each.join();
  if (ready != static_cast<int>(all.size())) throw std::runtime_error("not every bus became ready");
}

}  // namespace zeromq_test
