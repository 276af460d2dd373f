package peer;

import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.TypeRef;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What this process truly sent, received and measured: one JSON object a line, one write a line. */
final class Truth {
	private static final TypeRef<Map<String, Object>> OBJECT = new TypeRef<>() {};

	private final McpJsonMapper json = McpJsonDefaults.getMapper();
	private final String peer;
	private final FileChannel file;
	/** The ids of this side's requests, which the SDK does not tell, by method and key. */
	private final Map<List<String>, Object> ids = new ConcurrentHashMap<>();

	/** Without TRUTH in the environment it discards. */
	Truth(String peer) throws IOException {
		String name = System.getenv("TRUTH");
		this.peer = peer;
		this.file = name == null ? null
				: FileChannel.open(Path.of(name), StandardOpenOption.CREATE, StandardOpenOption.APPEND);
	}

	/** The call of {@code method} that began at {@code start}, of System.nanoTime, has ended. */
	void call(String method, String tool, Object key, String outcome, long start) {
		long took = System.nanoTime() - start;
		Object id = ids.remove(List.of(method, String.valueOf(key)));
		write("call", row("id", id, "method", method, "tool", tool, "key", key,
				"outcome", outcome, "dur_ns", took));
	}

	/** The handler of {@code tool}, or of a method that is no tool, has ended. */
	void handler(String tool, Object key, long start) {
		write("handler", row("tool", tool, "key", key, "dur_ns", System.nanoTime() - start));
	}

	/** Some JSON text crossed the wire; what is no JSON-RPC message is passed over. */
	void message(String dir, String text) {
		Map<String, Object> message;
		try {
			message = json.readValue(text, OBJECT);
		} catch (IOException | RuntimeException e) {
			return;
		}
		String kind = kind(message);
		if ("request".equals(kind) && dir.equals("out")) {
			ids.put(List.of((String) message.get("method"), String.valueOf(key(message))), message.get("id"));
		}
		if (kind != null) {
			int bytes = text.strip().getBytes(StandardCharsets.UTF_8).length;
			write("msg", row("dir", dir, "kind", kind, "id", message.get("id"),
					"method", message.get("method"), "bytes", bytes));
		}
	}

	private static Object key(Map<String, Object> request) {
		return request.get("params") instanceof Map<?, ?> params && params.get("arguments") instanceof Map<?, ?> args
				? args.get("key") : null;
	}

	private static String kind(Map<String, Object> message) {
		if (!message.containsKey("jsonrpc")) {
			return null;
		}
		if (message.containsKey("method")) {
			return message.containsKey("id") ? "request" : "notification";
		}
		if (message.containsKey("error")) {
			return "error";
		}
		return message.containsKey("result") ? "result" : null;
	}

	private static Map<String, Object> row(Object... fields) {
		Map<String, Object> row = new LinkedHashMap<>();
		for (int i = 0; i < fields.length; i += 2) {
			if (fields[i + 1] != null) {
				row.put((String) fields[i], fields[i + 1]);
			}
		}
		return row;
	}

	private void write(String kind, Map<String, Object> row) {
		if (file == null) {
			return;
		}
		row.put("t", kind);
		row.put("peer", peer);
		row.put("pid", ProcessHandle.current().pid());
		try {
			String line = json.writeValueAsString(row) + "\n";
			file.write(ByteBuffer.wrap(line.getBytes(StandardCharsets.UTF_8)));
		} catch (IOException e) {
			throw new UncheckedIOException("truth cannot be written", e);
		}
	}
}
