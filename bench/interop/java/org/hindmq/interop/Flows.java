package org.hindmq.interop;

import java.util.LinkedHashMap;
import java.util.Map;

import javax.jms.ConnectionMetaData;
import javax.jms.JMSException;

import org.apache.activemq.artemis.jms.client.ActiveMQConnectionFactory;

/**
 * Runs interoperability flows, one connection each, and prints PASS or FAIL with the reason for each of them.
 *
 * <pre>usage: Flows URL USER PASSWORD GROUP,...</pre>
 *
 * The groups are core, large and more. Exit code 0 when every flow passed (or, for large, was plainly refused), 1 when
 * one failed, 3 when one hung.
 */
public final class Flows {
   private static final long HUNG_MS = 60_000;

   private final String url;
   private final String user;
   private final String password;
   private final String run = Long.toString(System.currentTimeMillis(), 36);
   private volatile String current;
   private volatile long startedNanos;

   private Flows(String url, String user, String password) {
      this.url = url;
      this.user = user;
      this.password = password;
   }

   public static void main(String[] args) throws Exception {
      if (args.length != 4) {
         System.err.println("usage: Flows URL USER PASSWORD GROUP,...");
         System.exit(2);
      }
      Flows all = new Flows(args[0], args[1], args[2]);
      all.startedNanos = System.nanoTime();
      all.watch();
      all.version();
      boolean ok = true;
      for (String group : args[3].split(",")) {
         System.out.println("GROUP " + group);
         ok &= all.run(flows(group));
      }
      System.exit(ok ? 0 : 1);
   }

   private static Map<String, Flow.Body> flows(String group) {
      Map<String, Flow.Body> flows = new LinkedHashMap<>();
      switch (group) {
         case "core":
            QueueFlows.add(flows);
            TypeFlows.add(flows);
            PolicyFlows.add(flows);
            break;
         case "more":
            MoreFlows.add(flows);
            break;
         case "large":
            LargeFlow.add(flows);
            break;
         default:
            System.err.println("no flow group named " + group + "; there are core, large and more");
            System.exit(2);
      }
      return flows;
   }

   private boolean run(Map<String, Flow.Body> flows) {
      int failed = 0;
      for (Map.Entry<String, Flow.Body> e : flows.entrySet()) {
         current = e.getKey();
         startedNanos = System.nanoTime();
         String reason = one(e.getKey(), e.getValue());
         long ms = (System.nanoTime() - startedNanos) / 1_000_000;
         if (reason == null) {
            System.out.printf("PASS %s %d ms%n", e.getKey(), ms);
         } else if (reason.startsWith("REFUSED ")) {
            System.out.printf("REFUSED %s %d ms: %s%n", e.getKey(), ms, reason.substring(8));
         } else {
            failed++;
            System.out.printf("FAIL %s %d ms: %s%n", e.getKey(), ms, reason);
         }
      }
      return failed == 0;
   }

   private void version() {
      try (ActiveMQConnectionFactory cf = new ActiveMQConnectionFactory(url)) {
         javax.jms.Connection c = cf.createConnection(user, password);
         ConnectionMetaData md = c.getMetaData();
         System.out.println("CLIENT " + md.getProviderVersion() + " JMS " + md.getJMSVersion());
         c.close();
      } catch (Exception e) {
         System.out.println("CLIENT cannot connect: " + describe(e));
      }
   }

   /** Returns null when the flow passed, else why not. */
   private String one(String name, Flow.Body body) {
      try (ActiveMQConnectionFactory cf = new ActiveMQConnectionFactory(url)) {
         Flow f = new Flow(cf, user, password, "it." + run + "." + name);
         try {
            f.connection.start();
            body.run(f);
         } finally {
            f.connection.close();
         }
         return null;
      } catch (LargeFlow.Refused e) {
         return "REFUSED " + e.getMessage();
      } catch (Throwable t) {
         return describe(t);
      }
   }

   static String describe(Throwable t) {
      StringBuilder b = new StringBuilder();
      for (Throwable c = t; c != null && b.length() < 2_000; c = c.getCause()) {
         if (c != t) b.append(" <- ");
         b.append(c instanceof Flow.Failure ? c.getMessage() : c.toString());
         if (c instanceof JMSException && ((JMSException) c).getErrorCode() != null) b.append(" [").append(((JMSException) c).getErrorCode()).append(']');
      }
      for (StackTraceElement e : t.getStackTrace()) {
         if (e.getClassName().startsWith("org.hindmq.") && !e.getClassName().endsWith(".Flow")) {
            b.append(" at ").append(e.getFileName()).append(':').append(e.getLineNumber());
            break;
         }
      }
      return b.toString().replace('\n', ' ').replace('\r', ' ');
   }

   /** A flow that hangs is a failure of its own: the watcher prints where, and ends the process. */
   private void watch() {
      Thread main = Thread.currentThread();
      Thread t = new Thread(() -> {
         while (true) {
            try {
               Thread.sleep(500);
            } catch (InterruptedException e) {
               return;
            }
            if ((System.nanoTime() - startedNanos) / 1_000_000 < HUNG_MS) continue;
            System.out.printf("FAIL %s %d ms: hung%n", current, HUNG_MS);
            for (StackTraceElement e : main.getStackTrace()) System.out.println("   at " + e);
            System.out.flush();
            Runtime.getRuntime().halt(3);
         }
      }, "watch");
      t.setDaemon(true);
      t.start();
   }
}
