package peer;

import java.io.IOException;
import java.net.http.HttpClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/** The authority in the file that the environment variable SSL_CERT_FILE names. */
final class Trust {
	private Trust() {}

	static void add(HttpClient.Builder client) {
		String file = System.getenv("SSL_CERT_FILE");
		if (file == null) {
			return;
		}
		try (var in = Files.newInputStream(Path.of(file))) {
			KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
			store.load(null, null);
			store.setCertificateEntry("tests", CertificateFactory.getInstance("X.509").generateCertificate(in));
			var trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
			trust.init(store);
			SSLContext context = SSLContext.getInstance("TLS");
			context.init(null, trust.getTrustManagers(), null);
			client.sslContext(context);
		} catch (IOException | GeneralSecurityException e) {
			throw new IllegalStateException(e);
		}
	}
}
