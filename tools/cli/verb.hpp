#pragma once

#include <functional>

#include <CLI/CLI.hpp>

/// The verbs of the command line tool `amphibus`: one source file each, no verb knows another.
namespace amphibus::cli {

/// What a verb does once its arguments are read. Returns: the program's exit code: 0, 1 (the answer is no), 2 (bad
/// input). Throws: amphibus::error, which is printed, with exit code 2.
using action = std::function<int()>;

/// Adds a verb with its arguments to `to`; what it parses into lives in the action, which goes to `run` when the verb
/// was given.
using add_verb = void (*)(CLI::App& to, action& run);

void add_new(CLI::App& to, action& run);
void add_schema(CLI::App& to, action& run);
void add_tap(CLI::App& to, action& run);

}  // namespace amphibus::cli
