// A configuration: TOML, then behind a NUL the values of --set, then behind another one variables, one a line.
#include <amphibus/base/assert.hpp>
#include <amphibus/config/config.hpp>

#include "fuzz.hpp"

using namespace amphibus;

namespace {

config::environment variables_of(const std::string& text) {
  config::environment out;
  for (const std::string& each : fuzz::split(text, '\n')) {
    const auto equals = each.find('=');
    if (equals != std::string::npos) out.emplace_back(each.substr(0, equals), each.substr(equals + 1));
  }
  return out;
}

void load(const std::string& toml, const config::vocabulary& known, const config::environment& variables,
          const std::vector<std::string>& overrides) {
  const auto got = config::load_text(toml, "f.toml", known, variables, overrides);
  for (const error& each : got.errors) {
    AMPHIBUS_ASSERT(fuzz::printable(each.what()), "an error that is not printable");
    AMPHIBUS_ASSERT(std::string_view(each.what()).size() < 8'192, "an error that nobody reads to its end");
  }
  if (!got.errors.empty()) return;
  AMPHIBUS_ASSERT(fuzz::printable(config::describe(got.value)), "a description that is not printable");
  AMPHIBUS_ASSERT(fuzz::printable(config::explain_route(got.value, "shop.orders")), "an answer that is not printable");
  static_cast<void>(config::routes_digest(got.value));
  static_cast<void>(config::choose_process(got.value, "front"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto parts = fuzz::split(fuzz::text_of(data, size), '\0');
  parts.resize(std::max<std::size_t>(parts.size(), 3));
  const auto variables = variables_of(parts[2]);
  const auto overrides = parts[1].empty() ? std::vector<std::string>{} : fuzz::split(parts[1], '\n');
  load(parts[0], {{}, {"zeromq"}}, variables, overrides);
  load(parts[0], {{"orders", "billing"}, {"zeromq"}}, variables, overrides);
  return 0;
}
