package peer;

import java.util.List;

/** A command line: options with a value each, then words after {@code --}. */
record Args(List<String> options, List<String> command) {
	static Args of(String[] args) {
		List<String> all = List.of(args);
		int end = all.contains("--") ? all.indexOf("--") : all.size();
		return new Args(all.subList(0, end), all.subList(Math.min(end + 1, all.size()), all.size()));
	}

	String get(String name, String otherwise) {
		int at = options.indexOf(name);
		return at >= 0 && at + 1 < options.size() ? options.get(at + 1) : otherwise;
	}
}
