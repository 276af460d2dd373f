package peer;

import io.modelcontextprotocol.json.McpJsonDefaults;
import io.modelcontextprotocol.json.McpJsonMapper;
import io.modelcontextprotocol.json.TypeRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;

/**
 * The SDK's JSON mapper with an ear. Every transport turns each message to text and back here, whole, so the
 * text is the wire's own and the SDK's reads and writes stay as they are.
 */
final class Tap implements McpJsonMapper {
	private final McpJsonMapper inner = McpJsonDefaults.getMapper();
	private final Truth truth;

	Tap(Truth truth) {
		this.truth = truth;
	}

	@Override
	public <T> T readValue(String text, Class<T> type) throws IOException {
		truth.message("in", text);
		return inner.readValue(text, type);
	}

	@Override
	public <T> T readValue(String text, TypeRef<T> type) throws IOException {
		truth.message("in", text);
		return inner.readValue(text, type);
	}

	@Override
	public <T> T readValue(byte[] text, Class<T> type) throws IOException {
		return readValue(new String(text, StandardCharsets.UTF_8), type);
	}

	@Override
	public <T> T readValue(byte[] text, TypeRef<T> type) throws IOException {
		return readValue(new String(text, StandardCharsets.UTF_8), type);
	}

	@Override
	public String writeValueAsString(Object value) throws IOException {
		String text = inner.writeValueAsString(value);
		truth.message("out", text);
		return text;
	}

	@Override
	public byte[] writeValueAsBytes(Object value) throws IOException {
		return writeValueAsString(value).getBytes(StandardCharsets.UTF_8);
	}

	@Override
	public <T> T convertValue(Object value, Class<T> type) {
		return inner.convertValue(value, type);
	}

	@Override
	public <T> T convertValue(Object value, TypeRef<T> type) {
		return inner.convertValue(value, type);
	}
}
