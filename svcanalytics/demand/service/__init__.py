"""What staffing needs beside arrivals: handle times, shrinkage, patience."""
