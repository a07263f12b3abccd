package darkroom.runtime.base;

import darkroom.config.ErrorReason;
import freemarker.core.HTMLOutputFormat;
import freemarker.core.TemplateHTMLOutputModel;
import freemarker.template.Configuration;
import freemarker.template.TemplateException;
import freemarker.template.TemplateExceptionHandler;
import freemarker.template.TemplateModelException;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** HTML pages rendered from a template and a record called {@code page}. Text is escaped. */
public final class HtmlPages {
    private HtmlPages() {}

    /**
     * Renders a template.
     *
     * @param template name of a template in this package
     */
    public static String render(String template, Object page) {
        Configuration templates = new Configuration(Configuration.VERSION_2_3_34);
        templates.setClassForTemplateLoading(HtmlPages.class, "");
        templates.setDefaultEncoding(StandardCharsets.UTF_8.name());
        templates.setLocale(Locale.ROOT);
        templates.setTemplateExceptionHandler(TemplateExceptionHandler.RETHROW_HANDLER);
        templates.setLogTemplateExceptions(false);
        StringWriter html = new StringWriter();
        try {
            templates.getTemplate(template).process(Map.of("page", page), html);
        } catch (IOException e) {
            throw new UncheckedIOException("the jar is broken: no " + template, e);
        } catch (TemplateException e) {
            throw new IllegalStateException(template + " does not fit its page: " + ErrorReason.of(e), e);
        }
        return html.toString();
    }

    /** Wraps markup that a template inserts unchanged. */
    public static TemplateHTMLOutputModel markup(String wellFormed) {
        try {
            return HTMLOutputFormat.INSTANCE.fromMarkup(wellFormed);
        } catch (TemplateModelException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Escapes text for XML. */
    public static String escaped(String text) {
        return HTMLOutputFormat.INSTANCE.escapePlainText(text);
    }
}
