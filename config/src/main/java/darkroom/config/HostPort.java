package darkroom.config;

import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A network address in settings and reports: {@code name:port}, {@code 10.0.0.1:port} or {@code [fd09::1]:port}. {@link
 * #parse} reads what {@link #toString} writes; every address of a node that is printed or read has this form.
 *
 * @param host name, IPv4 address, or IPv6 address without brackets
 * @param port 0 to 65535
 */
public record HostPort(String host, int port) {
    private static final Pattern TEXT = Pattern.compile("(?:\\[([^\\[\\]\\s/@]+)]|([^:\\s/@\\[\\]]+)):(\\d{1,5})");
    private static final int PORT_MAX = 65_535;

    public HostPort {
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        if (host.isBlank() || (host.indexOf(':') >= 0 && !isIpv6(host))) {
            throw new IllegalArgumentException("\"" + host + "\" is not a host: a name, an IPv4 or an IPv6 address");
        }
        if (port < 0 || port > PORT_MAX) {
            throw new IllegalArgumentException("port %d is not from 0 to %d".formatted(port, PORT_MAX));
        }
    }

    /**
     * Parses an address.
     *
     * @throws IllegalArgumentException if the text is neither {@code host:port} nor {@code [IPv6]:port}; the message gives
     *     the reason
     */
    public static HostPort parse(String text) {
        Matcher parts = TEXT.matcher(text);
        if (!parts.matches()) {
            throw new IllegalArgumentException(
                    text.chars().filter(each -> each == ':').count() > 1 && !text.startsWith("[")
                            ? "\"%s\" is not host:port: an IPv6 address is in brackets, as in [fd09::1]:2551"
                                    .formatted(text)
                            : "\"%s\" is not host:port, as in a:2551 or [fd09::1]:2551".formatted(text));
        }
        String bracketed = parts.group(1);
        if (bracketed != null && !isIpv6(bracketed)) {
            throw new IllegalArgumentException("\"%s\" is not an IPv6 address".formatted(bracketed));
        }
        return new HostPort(bracketed == null ? parts.group(2) : bracketed, Integer.parseInt(parts.group(3)));
    }

    /** Returns the host as in URLs and message addresses: IPv6 in brackets. */
    public String bracketed() {
        return bracketed(host);
    }

    /**
     * Returns the host with IPv6 in brackets.
     *
     * @param host with or without brackets
     */
    public static String bracketed(String host) {
        return host.indexOf(':') >= 0 && !host.startsWith("[") ? "[" + host + "]" : host;
    }

    /**
     * Returns the host without brackets.
     *
     * @param host with or without brackets
     */
    public static String plain(String host) {
        return host.startsWith("[") && host.endsWith("]") ? host.substring(1, host.length() - 1) : host;
    }

    /** Whether the text is an IPv6 address, with or without a zone. No name is looked up. */
    private static boolean isIpv6(String text) {
        if (text.indexOf(':') < 0 || !text.matches("[0-9a-fA-F:.]+(%[\\w.-]+)?")) {
            return false;
        }
        try {
            int zone = text.indexOf('%');
            String address = zone < 0 ? text : text.substring(0, zone);
            InetAddress read = InetAddress.getByName(address);
            return read instanceof Inet6Address || address.indexOf('.') >= 0; // an IPv4-mapped one is read as IPv4
        } catch (UnknownHostException e) {
            return false;
        }
    }

    /** Returns the same host with another port. */
    public HostPort onPort(int other) {
        return new HostPort(host, other);
    }

    @Override
    public String toString() {
        return bracketed() + ":" + port;
    }
}
