#include "cases.hpp"

#include <algorithm>
#include <exception>

namespace amphibus::testing {
namespace {

/// Hands on and counts.
class counting_reporter final : public reporter {
 public:
  explicit counting_reporter(reporter& to) : to_(to) {}
  void failed(std::string_view what) override {
    ++count;
    to_.failed(what);
  }
  std::size_t count = 0;

 private:
  reporter& to_;
};

case_list collect() {
  case_list out;
  for (const auto part :
       {content_cases, publishing_cases, delivery_cases, slow_reader_cases, joining_cases, pattern_cases, group_cases,
        retention_cases, coroutine_cases, handler_cases, ending_cases, many_topics_cases}) {
    const case_list some = part();
    out.insert(out.end(), some.begin(), some.end());
  }
  return out;
}

}  // namespace

std::span<const conformance_case> conformance_cases() {
  static const case_list all = collect();
  return all;
}

bool applies(const conformance_case& which, const subject& of) {
  if (which.scope == case_scope::between_processes && !of.joins_processes()) return false;
  if (which.scope == case_scope::within_a_process && of.joins_processes()) return false;
  return std::all_of(which.needs.begin(), which.needs.end(), [&](auto claimed) { return of.promises.*claimed; });
}

bool run_case(const conformance_case& which, const subject& of, reporter& to) {
  counting_reporter counted(to);
  try {
    which.run(of, counted);
  } catch (const std::exception& why) {
    counted.failed(std::string("the case ended with an exception: ") + why.what());
  }
  return counted.count == 0;
}

}  // namespace amphibus::testing
