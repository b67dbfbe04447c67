#pragma once

#include <cstdio>
#include <string>
#include <vector>

#include "load.hpp"

namespace amphibus::schema {

/// What `check`, `lock` and `show` are told.
struct check_options {
  std::vector<std::string> schemas;  ///< paths of .fbs or .bfbs files: all that the lock is about
  std::string lock;                  ///< path
  load_options load;
  /// check: a lock that does not know everything is a failure, too: for where nobody reads notes.
  bool exact = false;
  /// lock: full names of tables that may be gone.
  std::vector<std::string> removed;
  /// What to type to accept a change; empty: the `amphibus schema lock` with the same files.
  std::string accept;
};

/// Compares the schemas with their lock and says what is wrong on `out`.
///
/// Returns: 0: understood by older programs (what the lock does not know yet is listed); 1: not, each finding with its
/// rule, both definitions and the mend; or, where `exact`, a lock that does not know everything.
/// Throws: problem.
int check(const check_options& with, std::FILE* out);

/// Writes the lock, unless check() would refuse; says what it now promises in addition.
///
/// Returns: 0: written, or nothing to write; 1: refused. Throws: problem.
int write_lock(const check_options& with, std::FILE* out);

/// Prints what the schemas define as a lock would hold it, and the hash of every table. Returns: 0. Throws: problem.
int show(const check_options& with, std::FILE* out);

}  // namespace amphibus::schema
